import { Link } from '@tanstack/react-router';
import { Lightbulb } from 'lucide-react';
import type { Experiment, Failure } from '@/api/types';
import { Badge } from '@/components/Badge';
import { Panel } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { experiment as words } from '@/text/experiment';
import { failures } from '@/text/failures';

/** Why it did not end well, and what can be done. Nothing for what went well at once. */
export function Diagnosis({ task, experiment }: { task: string; experiment: Experiment }) {
  const { outcome, attempts, number } = experiment;
  const failure = outcome && 'failure' in outcome ? outcome.failure : undefined;
  const earlier = attempts.filter((one) => one.failure && one.failure.message !== failure?.message);
  if (!failure && earlier.length === 0 && outcome?.kind !== 'pruned') return null;
  return (
    <Panel title={words.diagnosis}>
      <div className="space-y-3">
        {outcome?.kind === 'pruned' && (
          <p>
            <span className="font-medium">{words.pruned}.</span> {outcome.reason}
          </p>
        )}
        {outcome?.kind === 'success' && outcome.partial && (
          <p>
            <span className="font-medium">{words.partialTitle}.</span> {words.partialText}
          </p>
        )}
        {outcome?.kind === 'infeasible' && outcome.predicted && <p className="font-medium">{words.predicted}</p>}
        {failure && <Told failure={failure} task={task} number={number} />}
        {earlier.map((attempt) => (
          <div key={attempt.number} className="border-t border-line pt-3">
            <p className="mb-2 text-muted">{words.attemptFailed(attempt.number)}</p>
            {attempt.failure && <Told failure={attempt.failure} task={task} number={number} attempt={attempt.number} />}
          </div>
        ))}
      </div>
    </Panel>
  );
}

interface ToldProps {
  failure: Failure;
  task: string;
  number: number;
  attempt?: number;
}

function Told({ failure, task, number, attempt }: ToldProps) {
  const known = failures[failure.class];
  return (
    <div className="min-w-0 space-y-2">
      <div className="flex flex-wrap items-center gap-2">
        <span className="font-medium">{known?.name ?? failure.class}</span>
        <Badge tone="bad">{failure.class}</Badge>
      </div>
      <p className="[overflow-wrap:anywhere]">{failure.message}</p>
      {known && (
        <p className="flex items-start gap-2 rounded-md bg-accent-soft px-2 py-1.5">
          <Lightbulb aria-hidden className="mt-0.5 size-4 shrink-0 text-accent" />
          <span>{known.hint}</span>
        </p>
      )}
      {failure.log_tail && failure.log_tail.length > 0 && (
        <div>
          <div className="mb-1 flex items-baseline gap-3 text-xs text-muted">
            <span>{words.logTail}</span>
            <Link
              to="/tasks/$task/experiments/$number"
              params={{ task, number: String(number) }}
              search={{ tab: 'log', attempt }}
              className="text-accent hover:underline"
            >
              {words.toLog}
            </Link>
          </div>
          <CodeBlock text={failure.log_tail.join('\n')} label={words.logTail} maxHeight="16rem" wrap />
        </div>
      )}
    </div>
  );
}
