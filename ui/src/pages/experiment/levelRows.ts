import type { Bounds, ClassReport, LevelScore, Measurement, Metric, Score, SloResult, Stat } from '@/api/types';
import { boundsOf, stat } from '@/api/types';
import { unitOf } from '@/format';
import { metrics } from '@/text/common';
import { experiment as words } from '@/text/experiment';

/** One column of the table of measurements: a level, or one of its repeats. */
export interface LevelColumn {
  key: string;
  label: string;
  measurement: Measurement;
  /** All requests, or those of one class or turn. */
  report: ClassReport;
  score: LevelScore | undefined;
  decides: boolean;
}

export type ReportChoice = { kind: 'all' } | { kind: 'class' | 'turn'; name: string };

export function reportWord(choice: ReportChoice): string {
  return choice.kind === 'all' ? 'all' : `${choice.kind}:${choice.name}`;
}

/** Which parts of the requests have a report of their own. */
export function reportChoices(measurements: readonly Measurement[]): ReportChoice[] {
  const names = (of: (m: Measurement) => object | undefined) => [
    ...new Set(measurements.flatMap((m) => Object.keys(of(m) ?? {}))),
  ];
  return [
    { kind: 'all' },
    ...names((m) => m.classes).map((name): ReportChoice => ({ kind: 'class', name })),
    ...names((m) => m.turns).map((name): ReportChoice => ({ kind: 'turn', name })),
  ];
}

function reportOf(measurement: Measurement, choice: ReportChoice): ClassReport | undefined {
  if (choice.kind === 'all') return measurement;
  return (choice.kind === 'class' ? measurement.classes : measurement.turns)?.[choice.name];
}

export function levelColumns(
  measurements: readonly Measurement[],
  score: Score | null | undefined,
  levelName: (level: number) => string,
  choice: ReportChoice = { kind: 'all' },
): LevelColumn[] {
  const repeated = measurements.some((m) => m.repeat > 0);
  return measurements.flatMap((measurement) => {
    const report = reportOf(measurement, choice);
    if (!report) return [];
    const { level, repeat } = measurement;
    const name = levelName(level) || `${level}`;
    return [
      {
        key: `${level}/${repeat}`,
        label: repeated ? `${name} · ${repeat + 1}` : name,
        measurement,
        report,
        score: score?.levels.find((one) => one.level === level),
        decides: score?.level === level,
      },
    ];
  });
}

/** A figure of a level with what is known of its uncertainty. */
export interface FigureCell extends Bounds {
  value: number | undefined;
}

export function figureCell({ report }: LevelColumn, metric: Metric, wanted: Stat): FigureCell {
  const value = stat(report, metric, wanted);
  return value === undefined ? { value } : { value, ...boundsOf(report, metric, wanted) };
}

export interface FigureRow {
  kind: 'figure';
  key: string;
  label: string;
  metric: Metric;
  stat: Stat;
  /** Shown only when all figures are. */
  extra?: boolean;
}

const RATES: [Metric, boolean][] = [
  ['output_throughput', false],
  ['request_throughput', false],
  ['goodput', false],
  ['attainment', false],
  ['total_throughput', true],
  ['input_throughput', true],
  ['error_rate', false],
];
const TIMES: Metric[] = ['ttft', 'tpot', 'e2e_latency', 'itl', 'ttft_resp', 'e2e_resp', 'ttfat', 'icl'];
/** Times that are always shown; the others when they are asked for. */
const MAIN: ReadonlySet<Metric> = new Set(['ttft', 'tpot', 'e2e_latency']);
const MAIN_STATS: ReadonlySet<Stat> = new Set(['p50', 'p99']);
const SIZES: Metric[] = ['concurrency', 'input_tokens', 'output_tokens', 'quality'];

function row(metric: Metric, of: Stat, extra?: boolean): FigureRow {
  const name = metrics[metric] ?? metric;
  const label = of === 'mean' && unitOf(metric) !== 'ms' ? name : `${name} ${of}`;
  return { kind: 'figure', key: `${metric} ${of}`, label, metric, stat: of, extra };
}

/** Rows of rates, times and sizes that at least one column has a figure for; `wanted` adds what SLOs and objectives name. */
export function figureRows(columns: readonly LevelColumn[], wanted: readonly { metric: Metric; stat: Stat }[]) {
  const has = ({ metric, stat: of }: FigureRow) =>
    columns.some((column) => stat(column.report, metric, of) !== undefined);
  const named = (metric: Metric, of: Stat) => wanted.some((one) => one.metric === metric && one.stat === of);
  const stats = new Set<Stat>(['mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max']);
  for (const one of wanted) if (unitOf(one.metric) === 'ms') stats.add(one.stat);
  const order = (of: Stat) => (of === 'mean' ? -1 : of === 'max' ? 101 : of === 'min' ? -2 : Number(of.slice(1)));
  const sorted = [...stats].sort((a, b) => order(a) - order(b));
  const times = TIMES.flatMap((metric) =>
    sorted.map((of) => row(metric, of, !(named(metric, of) || (MAIN.has(metric) && MAIN_STATS.has(of))))),
  );
  return {
    rates: RATES.map(([metric, extra]) => row(metric, 'mean', extra && !named(metric, 'mean'))).filter(has),
    times: times.filter(has),
    sizes: SIZES.map((metric) => row(metric, 'mean', metric !== 'quality')).filter(has),
  };
}

/** Every SLO with what each column gave, in the order of the task. */
export function sloRows(columns: readonly LevelColumn[]): { label: string; cells: (SloResult | undefined)[] }[] {
  const labels = [...new Set(columns.flatMap((column) => column.score?.slos.map((slo) => slo.label) ?? []))];
  return labels.map((label) => ({
    label,
    cells: columns.map((column) => column.score?.slos.find((slo) => slo.label === label)),
  }));
}

const FATES = ['planned', 'completed', 'failed', 'cancelled', 'unsent'] as const;

/** Requests by fate, leaving out fates that no request had. */
export function fateRows(columns: readonly LevelColumn[]) {
  return FATES.filter((fate) => fate === 'planned' || columns.some(({ report }) => report.requests[fate] > 0)).map(
    (fate) => ({
      label: words.fates[fate],
      bad: fate === 'failed' || fate === 'unsent',
      cells: columns.map(({ report }) => report.requests[fate]),
    }),
  );
}

/** Failed requests by class. */
export function errorRows(columns: readonly LevelColumn[]) {
  const names = [...new Set(columns.flatMap(({ report }) => Object.keys(report.errors ?? {})))].sort();
  return names.map((name) => ({
    label: words.errorOf(name),
    bad: true,
    cells: columns.map(({ report }) => report.errors?.[name] ?? 0),
  }));
}
