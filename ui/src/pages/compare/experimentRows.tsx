import type { ExperimentDetail, FlagValue, Measurement, TaskSpec } from '@/api/types';
import type { SideGroup, SideRow } from '@/components/SideBySide';
import { StatusBadge } from '@/components/StatusBadge';
import {
  change,
  duration,
  firstObjective,
  flagValue,
  gain,
  levelName,
  NONE,
  objectiveFigure,
  secondsBetween,
  smallerIsBetter,
} from '@/format';
import { Figure, SloCell, ValidityCell } from '@/pages/experiment/cells';
import { figureCell, figureRows, type LevelColumn, levelColumns } from '@/pages/experiment/levelRows';
import { compare as words } from '@/text/compare';
import { Marked } from './BestMark';
import { bestOf } from './best';
import { evidenceOf } from './comparable';

/** The measurements that count: those of the last attempt that has any. */
export function countedMeasurements(detail: ExperimentDetail): readonly Measurement[] {
  return detail.experiment.attempts.findLast((attempt) => attempt.measurements.length > 0)?.measurements ?? [];
}

const differs = (values: readonly unknown[]) => new Set(values.map((value) => JSON.stringify(value))).size > 1;

function Flag({ value }: { value: FlagValue | undefined }) {
  if (value === undefined) return <span className="text-faint">{words.engineDefault}</span>;
  return <span className="font-mono text-xs">{flagValue(value)}</span>;
}

function configurationRows(shown: readonly ExperimentDetail[], all: boolean): SideRow[] {
  const names = [...new Set(shown.flatMap(({ experiment }) => Object.keys(experiment.configuration)))].sort();
  return names.flatMap((name) => {
    const values = shown.map(({ experiment }) => experiment.configuration[name]);
    const isSame = !differs(values.map((value) => value ?? `${value}`));
    if (isSame && !all) return [];
    return [
      {
        key: name,
        label: <span className="font-mono text-xs">{name}</span>,
        cell: (at: number) => <Flag value={values[at]} />,
      },
    ];
  });
}

function resultRows(task: TaskSpec, shown: readonly ExperimentDetail[]): SideRow[] {
  const objective = firstObjective(task);
  const values = shown.map(({ score }) => score?.objectives[0]);
  const best = bestOf(
    values.map((value) => ({ value })),
    objective.goal === 'minimize',
  );
  const base = values[0];
  const first = shown[0]?.experiment.number ?? 0;
  return [
    {
      key: words.objective,
      label: words.objective,
      cell: (at) => (
        <Marked best={best} at={at}>
          {objectiveFigure(objective, values[at])}
        </Marked>
      ),
    },
    {
      key: 'against',
      label: words.against(first),
      cell: (at) => {
        const value = values[at];
        if (at === 0) return <span className="text-faint">{words.reference}</span>;
        return base && value ? change(gain(objective, value, base)) : NONE;
      },
    },
    {
      key: words.class,
      label: words.class,
      cell: (at) => {
        const score = shown[at]?.score;
        return score ? <StatusBadge state={score.class} /> : NONE;
      },
    },
    {
      key: words.decides,
      label: words.decides,
      cell: (at) => {
        const level = shown[at]?.score?.level;
        return level === null || level === undefined ? NONE : levelName(task.load.levels[level]);
      },
    },
  ];
}

/** One column per experiment at one level; of repeats the first. */
function columnsAt(task: TaskSpec, shown: readonly ExperimentDetail[], level: number): (LevelColumn | undefined)[] {
  const name = (at: number) => levelName(task.load.levels[at]);
  return shown.map((detail) =>
    levelColumns(
      countedMeasurements(detail).filter((m) => m.level === level),
      detail.score,
      name,
    ).at(0),
  );
}

function levelRows(task: TaskSpec, shown: readonly ExperimentDetail[], level: number, all: boolean): SideRow[] {
  const columns = columnsAt(task, shown, level);
  const known = columns.filter((column) => column !== undefined);
  if (known.length === 0) return [];
  const slos = (task.slos ?? []).map(({ metric, stat }) => ({ metric, stat: stat ?? ('p99' as const) }));
  const rows = figureRows(known, [firstObjective(task), ...slos]);
  const figures = [...rows.rates, ...rows.times, ...rows.sizes].filter((row) => all || !row.extra);
  const labels = [...new Set(known.flatMap(({ score }) => score?.slos.map((slo) => slo.label) ?? []))];
  return [
    ...(all || known.some(({ measurement }) => measurement.validity.verdict === 'invalid')
      ? [
          {
            key: `${level} validity`,
            label: words.validity,
            cell: (at: number) => {
              const column = columns[at];
              return column ? <ValidityCell measurement={column.measurement} /> : NONE;
            },
          },
        ]
      : []),
    ...labels.map((label) => ({
      key: `${level} ${label}`,
      label,
      cell: (at: number) => <SloCell slo={columns[at]?.score?.slos.find((slo) => slo.label === label)} />,
    })),
    ...figures.flatMap(({ key, label, metric, stat }) => {
      const cells = columns.map((column) => (column ? figureCell(column, metric, stat) : { value: undefined }));
      if (!all && !differs(cells.map(({ value }) => value))) return [];
      const best = bestOf(cells, smallerIsBetter(metric));
      return [
        {
          key: `${level} ${key}`,
          label,
          cell: (at: number) => (
            <Marked best={best} at={at}>
              <Figure metric={metric} cell={cells[at] ?? { value: undefined }} isMean={stat === 'mean'} />
            </Marked>
          ),
        },
      ];
    }),
  ];
}

function placeRows(shown: readonly ExperimentDetail[], all: boolean): SideRow[] {
  const took = ({ experiment: { attempts } }: ExperimentDetail) => {
    const [first, last] = [attempts[0], attempts.at(-1)];
    return first && last?.ended_at ? duration(secondsBetween(first.started_at, last.ended_at)) : NONE;
  };
  const evidence = shown.map(evidenceOf);
  const rows: [string, (string | number | undefined)[]][] = [
    [words.duration, shown.map(took)],
    [words.ready, evidence.map((one) => (one?.ready_s === undefined ? undefined : duration(one.ready_s)))],
    [words.attempts, shown.map(({ experiment }) => experiment.attempts.length)],
    [words.host, evidence.map((one) => one?.host)],
    [words.hardware, evidence.map((one) => one?.hardware)],
    [words.engineVersion, evidence.map((one) => one?.engine_version)],
  ];
  return rows
    .filter(([, values]) => values.some((value) => value !== undefined) && (all || differs(values)))
    .map(([label, values]) => ({ key: label, label, cell: (at) => values[at] ?? NONE }));
}

/** Everything in which experiments differ; with `all` also that in which they do not. */
export function experimentGroups(task: TaskSpec, shown: readonly ExperimentDetail[], all: boolean): SideGroup[] {
  return [
    { label: words.groups.configuration, rows: configurationRows(shown, all) },
    { label: words.groups.result, rows: resultRows(task, shown) },
    ...task.load.levels.map((level, at) => ({
      label: words.groups.level(levelName(level)),
      rows: levelRows(task, shown, at, all),
    })),
    { label: words.groups.place, rows: placeRows(shown, all) },
  ];
}
