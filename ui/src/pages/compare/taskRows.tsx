import type { ReactNode } from 'react';
import type { ExperimentDetail, TaskDetail } from '@/api/types';
import { Interval } from '@/components/Interval';
import type { SideGroup, SideRow } from '@/components/SideBySide';
import { StatusBadge } from '@/components/StatusBadge';
import {
  change,
  changeInterval,
  duration,
  firstObjective,
  NONE,
  objectiveFigure,
  objectiveName,
  secondsBetween,
} from '@/format';
import { VerdictShort } from '@/pages/tasks/VerdictShort';
import { states } from '@/text/common';
import { compare as words } from '@/text/compare';
import { Marked } from './BestMark';
import { bestOf } from './best';
import { canonical, evidenceOf, isOneQuestion, loadName, modelName } from './comparable';
import { bestSoFar, type Search } from './progress';

const differs = (values: readonly unknown[]) => new Set(values.map(canonical)).size > 1;

function plain(label: string, values: readonly (string | undefined)[], all: boolean): SideRow[] {
  if (!all && !differs(values)) return [];
  return [{ key: label, label, cell: (at) => values[at] || <span className="text-faint">{NONE}</span> }];
}

function sloNames({ task }: TaskDetail): string {
  return (task.slos ?? [])
    .map(({ metric, stat, max_ms, max, min }) => {
      const bound = max_ms !== undefined ? `≤ ${max_ms} ms` : max !== undefined ? `≤ ${max}` : `≥ ${min}`;
      return `${metric} ${stat ?? ''} ${bound}`.replace('  ', ' ');
    })
    .join(', ');
}

function word(value: Record<string, unknown> | string, key: string): string {
  return typeof value === 'string' ? value : typeof value[key] === 'string' ? (value[key] as string) : canonical(value);
}

function outcomes({ experiments }: TaskDetail): string {
  return Object.entries(experiments)
    .map(([outcome, n]) => `${n} ${states[outcome as keyof typeof states] ?? outcome}`)
    .join(', ');
}

function foundRows(tasks: readonly TaskDetail[], searches: readonly Search[], isSame: boolean): SideRow[] {
  const gains = tasks.map(({ verdict }) => verdict?.improvement ?? undefined);
  const rated = gains.map((one) => ({ value: one?.estimate, low: one?.low, high: one?.high }));
  const bestGain = isSame ? bestOf(rated, false) : undefined;
  const values = searches.map((search) => bestSoFar(search, false).at(-1)?.[1]);
  const smaller = searches[0]?.objective.goal === 'minimize';
  const bestValue = isSame
    ? bestOf(
        values.map((value) => ({ value })),
        smaller,
      )
    : undefined;
  const ends = gains.flatMap((one) => (one ? [one.low - 1, one.high - 1] : [])).concat(0);
  const pad = (Math.max(...ends) - Math.min(...ends)) * 0.08 || 0.01;
  const scale: [number, number] = [Math.min(...ends) - pad, Math.max(...ends) + pad];
  const row = (label: string, cell: (at: number) => ReactNode): SideRow => ({ key: label, label, cell });
  return [
    row(words.result.status, (at) => (tasks[at] ? <StatusBadge state={tasks[at].status} /> : null)),
    row(words.result.verdict, (at) => (tasks[at] ? <VerdictShort task={tasks[at]} /> : null)),
    row(words.result.improvement, (at) => {
      const one = gains[at];
      if (!one) return <span className="text-faint">{NONE}</span>;
      return (
        <Marked best={bestGain} at={at}>
          {change(one.estimate - 1)}
        </Marked>
      );
    }),
    row(words.result.interval, (at) => {
      const one = gains[at];
      if (!one) return <span className="text-faint">{NONE}</span>;
      return (
        <span className="inline-flex flex-col gap-0.5">
          <Interval
            low={one.low - 1}
            estimate={one.estimate - 1}
            high={one.high - 1}
            neutral={0}
            scale={scale}
            better="larger"
            confidence={tasks[at]?.verdict?.confidence}
            format={(value) => change(value)}
            width={140}
          />
          <span className="whitespace-nowrap text-xs text-muted">{changeInterval(one)}</span>
        </span>
      );
    }),
    row(words.result.best, (at) => {
      const search = searches[at];
      if (!search || values[at] === undefined) return <span className="text-faint">{words.noBest}</span>;
      return (
        <Marked best={bestValue} at={at}>
          {objectiveFigure(search.objective, values[at])}
        </Marked>
      );
    }),
    row(words.result.baselineValue, (at) => {
      const search = searches[at];
      return search ? objectiveFigure(search.objective, search.baseline) : NONE;
    }),
  ];
}

/** Tasks side by side: what was asked, what was found, what it took. */
export function taskGroups(
  tasks: readonly TaskDetail[],
  searches: readonly Search[],
  shown: readonly (ExperimentDetail | undefined)[],
  all: boolean,
): SideGroup[] {
  const evidence = shown.map(evidenceOf);
  const of = (label: string, value: (task: TaskDetail) => string | undefined) => plain(label, tasks.map(value), all);
  return [
    { label: words.found, rows: foundRows(tasks, searches, isOneQuestion(tasks)) },
    {
      label: words.spent,
      rows: [
        ...of(words.result.outcomes, outcomes),
        ...of(words.result.duration, ({ started_at, ended_at }) =>
          started_at && ended_at ? duration(secondsBetween(started_at, ended_at)) : undefined,
        ),
        ...of(words.result.gpu, ({ gpu_seconds }) => duration(gpu_seconds)),
      ],
    },
    {
      label: words.asked,
      rows: [
        ...of(words.engine, ({ task }) => task.engine.name),
        ...of(words.model, ({ task }) => modelName(task)),
        ...of(words.workload, ({ task }) => word(task.workload, 'scenario')),
        ...of(words.load, ({ task }) => loadName(task)),
        ...of(words.objectiveAsked, ({ task }) =>
          task.objectives.map((one) => objectiveName(firstObjective({ objectives: [one] }))).join(', '),
        ),
        ...of(words.slos, sloNames),
        ...of(words.parameters, ({ task }) => Object.keys(task.search_space.parameters).sort().join(', ')),
        ...of(words.budget, ({ task }) => words.budgetOf(task.budget.experiments)),
        ...of(words.sampler, ({ task }) => word(task.sampler, 'kind')),
        ...of(words.backend, ({ task }) => word(task.backend, 'kind')),
      ],
    },
    {
      label: words.groups.place,
      rows: [
        ...plain(
          words.host,
          evidence.map((one) => one?.host),
          all,
        ),
        ...plain(
          words.hardware,
          evidence.map((one) => one?.hardware),
          all,
        ),
        ...plain(
          words.engineVersion,
          evidence.map((one) => one?.engine_version),
          all,
        ),
      ],
    },
  ];
}
