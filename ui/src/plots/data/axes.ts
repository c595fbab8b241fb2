import type { FlagValue, Metric, ReportColumn, Stat } from '@/api/types';
import { smallerIsBetter, unitOf } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { figureLabel, isTime, type Limit } from './objective';
import type { PlotTask, Point } from './points';

/** Something about an experiment that an axis can show. */
export interface Quantity {
  /** As addresses and the agent name it: `objective`, `ttft_p99_ms`, a parameter's name. */
  id: string;
  label: string;
  /** For small lists; default: the label. */
  short?: string;
  unit: string;
  group: 'objective' | 'figure' | 'parameter' | 'other';
  isShare?: boolean;
  better?: 'smaller' | 'larger';
  /** What it is of a measurement; absent for what is none. */
  measured?: { metric: Metric; stat: Stat };
  /** The level whose figure it is; absent: the one that decides. */
  level?: number;
  of: (point: Point) => FlagValue | undefined;
}

const SLUGS: Record<string, string> = { 'tok/s': '_tok_per_s', 'req/s': '_req_per_s', ms: '_ms', tok: '_tok' };

/** Key of a report's column. As `column` in `crates/tuner-app/src/report/columns.rs`. */
export function columnKey(metric: Metric, stat: Stat): string {
  return `${metric}_${stat}${SLUGS[unitOf(metric)] ?? ''}`.replaceAll('.', '_');
}

const METRICS: Metric[] = [
  'ttft_resp',
  'ttft',
  'ttfat',
  'tpot',
  'itl',
  'icl',
  'e2e_latency',
  'e2e_resp',
  'output_throughput',
  'input_throughput',
  'total_throughput',
  'request_throughput',
  'goodput',
  'attainment',
  'error_rate',
  'concurrency',
  'output_tokens',
  'input_tokens',
  'quality',
];

/** Metric and statistic of a column: `ttft_p99_9_ms` is the 99.9th percentile of `ttft`. */
export function columnFigure(key: string): { metric: Metric; stat: Stat } | null {
  const metric = METRICS.find((name) => key.startsWith(`${name}_`));
  if (!metric) return null;
  const slug = SLUGS[unitOf(metric)] ?? '';
  const stat = key.slice(metric.length + 1, slug ? -slug.length : undefined).replace('_', '.');
  return { metric, stat: stat as Stat };
}

export function columnLabel(column: ReportColumn): string {
  const figure = columnFigure(column.key);
  return figure ? figureLabel(figure.metric, figure.stat) : column.label;
}

function median(values: number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** A figure of an experiment at a level, the median over its repeats; without a level at the one that decides. */
export function figureAt(point: Point, key: string, level: number | null = point.level): number | undefined {
  const values: number[] = [];
  for (const measured of point.levels) {
    if (measured.level !== level || !measured.valid) continue;
    const value = measured.figures[key];
    if (value !== undefined) values.push(value);
  }
  return median(values);
}

function figureQuantity(column: ReportColumn, level?: number): Quantity {
  const figure = columnFigure(column.key);
  const better = figure && (smallerIsBetter(figure.metric) ? 'smaller' : 'larger');
  return {
    id: column.key,
    label: columnLabel(column),
    short: column.label,
    unit: column.share ? '' : column.unit,
    group: 'figure',
    isShare: column.share,
    better: better ?? undefined,
    measured: figure ?? undefined,
    level,
    of: (point) => figureAt(point, column.key, level),
  };
}

/** Everything that an axis can show, objectives first. `level` looks at figures of one level instead of the deciding one. */
export function quantities(task: PlotTask, level?: number): Quantity[] {
  const objectives = task.objectives.map((objective, index): Quantity => {
    const better = objective.goal === 'maximize' ? 'larger' : 'smaller';
    const of = (point: Point) => (index === 0 ? point.objective : point.objectives[index]) ?? undefined;
    const id = index === 0 ? 'objective' : `objective${index + 1}`;
    const measured = { metric: objective.metric, stat: objective.stat };
    return { id, label: objective.label, unit: objective.unit, group: 'objective', better, measured, of };
  });
  const figures = task.columns.map((column) => figureQuantity(column, level));
  const parameters = task.parameters.map((name): Quantity => {
    return { id: name, label: name, unit: '', group: 'parameter', of: (point) => point.configuration[name] };
  });
  const other: Quantity[] = [
    { id: 'number', label: words.number, unit: '', group: 'other', of: (point) => point.number },
    {
      id: 'elapsed_s',
      label: words.elapsed,
      unit: 's',
      group: 'other',
      better: 'smaller',
      of: (point) => point.elapsedS ?? undefined,
    },
    {
      id: 'ready_s',
      label: words.ready,
      unit: 's',
      group: 'other',
      better: 'smaller',
      of: (point) => point.readyS ?? undefined,
    },
  ];
  return [...objectives, ...figures, ...parameters, ...other];
}

/** What a word means: an id, or as the agent and people shorten it (`ttft_p99`, `output_throughput`). */
export function findQuantity(all: readonly Quantity[], word: string | undefined): Quantity | undefined {
  if (!word) return undefined;
  const wanted = word.toLowerCase().replaceAll('.', '_');
  return (
    all.find((quantity) => quantity.id === word) ??
    all.find((quantity) => quantity.id.startsWith(`${wanted}_`)) ??
    all.find((quantity) => quantity.label.toLowerCase() === word.toLowerCase())
  );
}

/** The limit on a column, if an SLO sets one. */
export function limitOn(limits: readonly Limit[], id: string): Limit | undefined {
  return limits.find((limit) => columnKey(limit.metric, limit.stat) === id);
}

export function numberOf(value: FlagValue | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A time and a rate that the task asks about: what is traded where nobody says. */
export function tradeAxes(task: PlotTask): { x: string; y: string } {
  const slo = task.limits.find((limit) => isTime(limit.metric));
  const timed = task.objectives.find((objective) => isTime(objective.metric));
  const x = slo ?? timed;
  const rate = task.objectives.find((objective) => objective.unit.includes('/s') && !objective.perGpu);
  return {
    x: x ? columnKey(x.metric, x.stat) : 'e2e_latency_p50_ms',
    y: columnKey(rate?.metric ?? 'output_throughput', 'mean'),
  };
}

/** Whether numbers spread so far that most would lie in a corner of an even axis. */
export function isWide(values: readonly number[]): boolean {
  const least = values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const most = values.reduce((high, value) => Math.max(high, value), 0);
  return least > 0 && most / least > 8;
}

/**
 * Ends of an axis: what was measured, and a limit that is near it; one far away would squeeze everything else. An even axis
 * chooses its own round ends where no limit wants more.
 */
export function endsOf(
  values: readonly number[],
  limit: number | undefined,
  log: boolean,
): { min?: number; max?: number } {
  if (values.length === 0) return {};
  let low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  let high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const isNear = limit !== undefined && limit > 0 && limit < high * 3 && limit > low / 3;
  const [below, above] = [isNear && limit < low, isNear && limit > high];
  if (isNear) {
    low = Math.min(low, limit);
    high = Math.max(high, limit);
  }
  if (log && low > 0) {
    const pad = Math.max(1.05, (high / low) ** 0.04);
    return { min: low / pad, max: high * pad };
  }
  const pad = (high - low) * 0.04;
  return { ...(below ? { min: low - pad } : {}), ...(above ? { max: high + pad } : {}) };
}
