import type { ReactNode } from 'react';
import type { Experiment, Score, TaskSpec } from '@/api/types';
import { Panel } from '@/components/Card';
import { StatusBadge } from '@/components/StatusBadge';
import { Elapsed } from '@/components/Time';
import { duration, firstObjective, gain, objectiveFigure, objectiveName, percent, secondsBetween } from '@/format';
import { experiment as words } from '@/text/experiment';
import { SloCell } from './cells';

interface ResultProps {
  task: TaskSpec;
  experiment: Experiment;
  score: Score | null;
  /** First objective of the baseline; undefined for the baseline itself. */
  baseline: number | null | undefined;
  levelName: (level: number) => string;
}

/** What it gave: the objective, beside the baseline's, and whether the service levels hold. */
export function Result({ task, experiment, score, baseline, levelName }: ResultProps) {
  const objective = firstObjective(task);
  const value = score?.objectives[0];
  const level = score?.level;
  const deciding = score?.levels.find((one) => one.level === level) ?? score?.levels[0];
  return (
    <Panel title={words.objective} note={objectiveName(objective)}>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-[auto_auto_1fr]">
        <Item label={words.objective}>
          <span className="text-xl font-semibold sm:text-2xl">
            {value === undefined ? (
              <span className="text-faint">{words.noScore}</span>
            ) : (
              objectiveFigure(objective, value)
            )}
          </span>
          {level !== null && level !== undefined && (
            <span className="block text-xs text-muted">{words.atLevel(levelName(level))}</span>
          )}
          {value !== undefined && baseline ? <Against share={gain(objective, value, baseline)} /> : null}
          {score?.noise !== undefined && (
            <span className="block text-xs text-muted">{words.noise(percent(score.noise))}</span>
          )}
        </Item>
        <Item label={words.elapsed}>
          <Took experiment={experiment} />
        </Item>
        <Item label={words.decidedBy}>
          {score && <StatusBadge state={score.class} />}
          <ul className="mt-1 space-y-0.5">
            {(deciding?.slos ?? []).map((slo) => (
              <li key={slo.label} className="flex flex-wrap items-baseline gap-x-2">
                <span className="text-muted">{slo.label}</span>
                <SloCell slo={slo} />
              </li>
            ))}
          </ul>
          {(task.slos ?? []).length === 0 && <span className="text-faint">{words.noSlos}</span>}
        </Item>
      </dl>
    </Panel>
  );
}

function Item({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-faint">{label}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}

function Against({ share }: { share: number | undefined }) {
  if (share === undefined) return null;
  const size = percent(Math.abs(share));
  const text =
    Math.abs(share) < 0.0005 ? words.same : words.vsBaseline(share > 0 ? words.betterBy(size) : words.worseBy(size));
  return (
    <span className="block text-xs">
      <span className="font-medium">{text}</span>
      <span className="block text-faint">{words.singleRun}</span>
    </span>
  );
}

function Took({ experiment: { attempts } }: { experiment: Experiment }) {
  const [first, last] = [attempts[0], attempts.at(-1)];
  if (!first) return <span className="text-faint">–</span>;
  return (
    <>
      <span className="text-lg">
        {last?.ended_at ? (
          duration(secondsBetween(first.started_at, last.ended_at))
        ) : (
          <Elapsed from={first.started_at} />
        )}
      </span>
      {attempts.length > 1 && <span className="block text-xs text-muted">{words.attempts(attempts.length)}</span>}
    </>
  );
}
