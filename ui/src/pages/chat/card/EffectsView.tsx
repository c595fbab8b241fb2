import { CircleCheck, Info, TriangleAlert } from 'lucide-react';
import { Suspense, use, useMemo } from 'react';
import type { Effects } from '@/api/types/chat';
import { StatusBadge } from '@/components/StatusBadge';
import { YamlView } from '@/components/Tree';
import { duration } from '@/format';
import { chat } from '@/text/chat';
import { common, type StateWord, states } from '@/text/common';
import { inLine } from './Arguments';
import { Diff } from './Diff';
import { type Estimate, type Foretold, foretold, type Span, type ToldFinding } from './effects';
import { Lines } from './Lines';

const words = chat.effects;

/** What a call would do, as the server foretells it: never in the model's words. */
export function EffectsView({ effects }: { effects: Effects }) {
  const told = useMemo(() => foretold(effects.would), [effects.would]);
  return (
    <div className="space-y-2">
      {effects.warning && (
        <p className="flex gap-1.5 text-warn [overflow-wrap:anywhere]">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          {chat.card.warning}: {effects.warning}
        </p>
      )}
      {told.interrupts && <Interrupts {...told.interrupts} />}
      {told.task && <TaskLines {...told.task} />}
      {told.estimate && <EstimateLines estimate={told.estimate} />}
      {told.valid !== undefined && (
        <p className={`flex items-center gap-1.5 ${told.valid ? 'text-ok' : 'text-bad'}`}>
          {told.valid ? (
            <CircleCheck aria-hidden className="size-4" />
          ) : (
            <TriangleAlert aria-hidden className="size-4" />
          )}
          {told.valid ? words.valid : words.invalid}
        </p>
      )}
      {told.findings && <Findings findings={told.findings} />}
      {told.change && <Change change={told.change} />}
      {told.deletes !== undefined && (
        <Part title={words.deletes}>
          <YamlView value={told.deletes} label={words.deletes} maxHeight="12rem" />
        </Part>
      )}
      {told.remarks !== undefined && (
        <Part title={words.warnings}>
          <YamlView value={told.remarks} label={words.warnings} maxHeight="12rem" />
        </Part>
      )}
      {told.rest && <Rest rest={told.rest} />}
      {told.other !== undefined && <YamlView value={told.other} label={chat.card.effects} maxHeight="12rem" />}
    </div>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div>
      <div className="mb-1 text-muted">{title}</div>
      {children}
    </div>
  );
}

function Interrupts({ worker, jobs, after }: NonNullable<Foretold['interrupts']>) {
  return (
    <>
      <p>
        <span className="text-muted">{words.pid} </span>
        <code className="font-mono text-xs">{String(worker.pid ?? '')}</code>
        <span className="text-muted"> {words.host} </span>
        <code className="font-mono text-xs">{String(worker.host ?? '')}</code>
      </p>
      {jobs.length === 0 ? (
        <p className="flex items-center gap-1.5">
          <Info aria-hidden className="size-4 text-faint" />
          {words.interruptsNone}
        </p>
      ) : (
        <div>
          <p className="flex items-center gap-1.5 font-medium">
            <TriangleAlert aria-hidden className="size-4 text-warn" />
            {words.interrupts(jobs.length)}
          </p>
          <ul className="ml-5 list-disc">
            {jobs.map((job, index) => (
              <li key={index}>{words.job(job.kind, job.task)}</li>
            ))}
          </ul>
          {after && <p className="text-muted">{after}</p>}
        </div>
      )}
    </>
  );
}

function TaskLines({ name, status, experiments = [] }: NonNullable<Foretold['task']>) {
  const all = experiments.reduce((sum, [, n]) => sum + n, 0);
  const parts = experiments.map(([state, n]) => `${n} ${state in states ? states[state as StateWord] : state}`);
  return (
    <Lines
      of={[
        { label: words.task, value: name },
        { label: words.status, value: <StatusBadge state={status} /> },
        { label: words.experiments, value: all === 0 ? common.none : `${all}: ${parts.join(', ')}` },
      ]}
    />
  );
}

const span = ({ typical, most }: Span): string =>
  typical === null || typical === undefined
    ? `${words.atMost} ${duration(most)}`
    : `${words.typical} ${duration(typical)}, ${words.atMost} ${duration(most)}`;

function EstimateLines({ estimate }: { estimate: Estimate }) {
  const { search_experiments, verification_experiments, wall_time_s, gpu_seconds, basis } = estimate;
  const more = verification_experiments > 0 ? ` + ${verification_experiments} ${words.verification}` : '';
  return (
    <>
      <Lines
        of={[
          { label: words.experiments, value: `${search_experiments}${more}` },
          { label: words.time, value: span(wall_time_s) },
          gpu_seconds && { label: words.gpuTime, value: span(gpu_seconds) },
        ]}
      />
      {basis && <p className="text-xs text-faint">{basis}</p>}
    </>
  );
}

function Findings({ findings }: { findings: ToldFinding[] }) {
  return (
    <ul className="space-y-0.5">
      {findings.map((finding, index) => (
        <li key={index} className="[overflow-wrap:anywhere]">
          {finding.line !== undefined && <span className="text-faint">{finding.line}: </span>}
          {finding.field && <code className="font-mono text-xs">{finding.field} </code>}
          <span className={finding.severity === 'error' ? 'text-bad' : ''}>{finding.message}</span>
        </li>
      ))}
    </ul>
  );
}

let yaml: Promise<typeof import('yaml')> | undefined;
const loadYaml = () => {
  yaml ??= import('yaml');
  return yaml;
};

/** Documents are texts; what is a value is written as one. */
function Change({ change: { before, after, field } }: { change: NonNullable<Foretold['change']> }) {
  const [one, two] = [inLine(before), inLine(after)];
  if (field !== undefined && one !== null && two !== null) {
    return (
      <Lines
        of={[
          { label: words.field, value: field, mono: true },
          { label: chat.card.before, value: one, mono: true },
          { label: chat.card.after, value: two, mono: true },
        ]}
      />
    );
  }
  return (
    <Part title={field ? `${chat.card.differences}: ${field}` : chat.card.differences}>
      <Suspense fallback={null}>
        <Written before={before} after={after} />
      </Suspense>
    </Part>
  );
}

function Written({ before, after }: { before: unknown; after: unknown }) {
  const { stringify } = use(loadYaml());
  const text = (value: unknown) =>
    typeof value === 'string' ? value : value === undefined || value === null ? '' : stringify(value, { lineWidth: 0 });
  return <Diff before={text(before)} after={text(after)} label={chat.card.differences} />;
}

/** Two sets of arguments, one against the other. */
export function ArgumentsDiff({ before, after }: { before: unknown; after: unknown }) {
  return (
    <Suspense fallback={null}>
      <Written before={before} after={after} />
    </Suspense>
  );
}

function Rest({ rest }: { rest: Record<string, unknown> }) {
  const short = Object.entries(rest).map(([name, value]) => [name, inLine(value)] as const);
  if (short.every(([, line]) => line !== null)) {
    return <Lines of={short.map(([name, line]) => ({ label: name.replaceAll('_', ' '), value: line }))} />;
  }
  return <YamlView value={rest} label={chat.card.effects} maxHeight="12rem" />;
}
