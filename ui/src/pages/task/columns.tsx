import { Link } from '@tanstack/react-router';
import type { FlagValue } from '@/api/types';
import { Badge } from '@/components/Badge';
import type { Column } from '@/components/DataTable';
import { Quantity as Figure } from '@/components/Quantity';
import { RelativeTime } from '@/components/Time';
import { change, configurationLine, duration, flagValue, percent } from '@/format';
import type { Quantity } from '@/plots/data/axes';
import { compareClass, type PlotTask, type Point } from '@/plots/data/points';
import { stateWord } from '@/plots/marks';
import { StateMark } from '@/plots/StateLegend';
import { STATES } from '@/plots/theme';
import { states } from '@/text/common';
import { task as words } from '@/text/task';
import { taskPlots } from '@/text/taskPlots';
import { timesBetter } from './Gain';

/** So many parameters have columns from the beginning; the others are in the chooser. */
const SHOWN_PARAMETERS = 8;

function roleOf(point: Point, task: PlotTask) {
  if (point.number === task.best) return <Badge tone="ok">{words.table.best}</Badge>;
  if (point.role === 'baseline') return <Badge tone="accent">{words.table.roles.baseline}</Badge>;
  const arm = point.arm ? ` ${point.arm}` : '';
  return (
    <span className="text-muted">
      {words.table.roles[point.role]}
      {arm}
    </span>
  );
}

/** Long decimals are cut; the tooltip has them whole. */
function shortValue(value: FlagValue | undefined): string {
  const isLong = typeof value === 'number' && !Number.isInteger(value);
  return flagValue(isLong ? Number(value.toPrecision(5)) : value);
}

function why(point: Point): string {
  if (point.failure) return `${point.failure.class}: ${point.failure.message}`;
  return point.reason ?? point.missed.join(', ');
}

/** Columns of the experiments of a task: what came of them, each parameter, each figure. */
export function experimentColumns(task: PlotTask, known: readonly Quantity[]): Column<Point>[] {
  const { objective } = task;
  const baseline = task.points.find((point) => point.number === task.baseline)?.objective ?? null;
  const gain = (point: Point) =>
    baseline === null || point.objective === null ? null : timesBetter(objective, baseline, point.objective);
  const right = { align: 'right' as const };
  const first: Column<Point>[] = [
    {
      id: 'number',
      label: words.table.number,
      width: '3.5rem',
      sort: (point) => point.number,
      cell: ({ number }) => (
        <Link
          to="/tasks/$task/experiments/$number"
          params={{ task: task.id, number: String(number) }}
          className="text-accent hover:underline"
        >
          {number}
        </Link>
      ),
    },
    {
      id: 'role',
      label: words.table.role,
      width: '6.5rem',
      sort: (point) => point.role,
      cell: (point) => roleOf(point, task),
    },
    {
      id: 'state',
      label: words.table.state,
      width: '8.5rem',
      sort: (point) => STATES.indexOf(point.state),
      cell: ({ state }) => (
        <span className="flex items-center gap-1.5">
          <StateMark state={state} />
          <span className="truncate">{stateWord(state)}</span>
        </span>
      ),
    },
    {
      id: 'objective',
      label: objective.unit ? `${objective.label} (${objective.unit})` : objective.label,
      help: objective.label,
      width: 'minmax(8rem, 1fr)',
      sort: (point) => point.objective,
      cell: (point) => <Figure value={point.objective} digits={4} />,
      ...right,
    },
    {
      id: 'gain',
      label: words.table.vsBaseline,
      width: '6rem',
      sort: gain,
      cell: (point) => {
        const ratio = gain(point);
        return ratio === null || point.number === task.baseline ? (
          <span className="text-faint">–</span>
        ) : (
          change(ratio - 1)
        );
      },
      ...right,
    },
    {
      id: 'level',
      label: words.table.level,
      width: '5rem',
      hidden: true,
      sort: (point) => point.level,
      cell: (point) => point.levels.find((level) => level.level === point.level)?.label ?? '–',
    },
    {
      id: 'class',
      label: words.table.class,
      width: '8rem',
      hidden: true,
      sort: (point) => compareClass(point.class, null),
      cell: ({ class: rank }) => (rank && rank in states ? states[rank as keyof typeof states] : '–'),
    },
  ];
  const parameters = task.parameters.map((name, index): Column<Point> => {
    const of = (point: Point) => point.configuration[name];
    return {
      id: `parameter ${name}`,
      label: name,
      help: name,
      width: 'minmax(6.5rem, 1fr)',
      hidden: index >= SHOWN_PARAMETERS,
      sort: of,
      cell: (point) => (
        <span className="font-mono text-xs" title={String(of(point) ?? '')}>
          {shortValue(of(point))}
        </span>
      ),
    };
  });
  const figures = known
    .filter(({ group }) => group === 'figure')
    .map((quantity): Column<Point> => {
      const of = (point: Point) => quantity.of(point) as number | undefined;
      return {
        id: quantity.id,
        label: quantity.unit ? `${quantity.label} (${quantity.unit})` : quantity.label,
        help: quantity.label,
        width: 'minmax(7rem, 1fr)',
        hidden: !task.limits.some(
          (limit) => quantity.id.startsWith(`${limit.metric}_`) && quantity.id.includes(limit.stat),
        ),
        sort: of,
        cell: (point) => (quantity.isShare ? percent(of(point)) : <Figure value={of(point)} />),
        ...right,
      };
    });
  const last: Column<Point>[] = [
    {
      id: 'elapsed',
      label: words.table.elapsed,
      width: '7rem',
      sort: (point) => point.elapsedS,
      cell: (point) => duration(point.elapsedS),
      ...right,
    },
    {
      id: 'started',
      label: words.table.started,
      width: '8rem',
      hidden: true,
      sort: (point) => point.createdAt,
      cell: (point) => <RelativeTime at={point.createdAt} />,
    },
    {
      id: 'why',
      label: words.table.failure,
      width: 'minmax(10rem, 2fr)',
      sort: why,
      cell: (point) => <span title={why(point)}>{why(point)}</span>,
    },
    {
      id: 'configuration',
      label: words.table.configuration,
      width: 'minmax(16rem, 3fr)',
      hidden: true,
      cell: (point) => {
        const line = configurationLine(point.configuration) || taskPlots.defaults;
        return (
          <span className="font-mono text-xs" title={line}>
            {line}
          </span>
        );
      },
    },
  ];
  return [...first, ...parameters, ...figures, ...last];
}
