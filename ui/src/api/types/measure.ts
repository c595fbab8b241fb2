/** Shapes of `crates/tuner-core/src/{measure,steady,stopped,server_side}.rs`; the document says only `object` there. */

export type Metric =
  | 'ttft'
  | 'ttft_resp'
  | 'ttfat'
  | 'tpot'
  | 'itl'
  | 'icl'
  | 'e2e_latency'
  | 'e2e_resp'
  | 'output_throughput'
  | 'input_throughput'
  | 'total_throughput'
  | 'request_throughput'
  | 'goodput'
  | 'attainment'
  | 'error_rate'
  | 'concurrency'
  | 'output_tokens'
  | 'input_tokens'
  | 'quality';

/** `p50`, `p99.9`, … */
export type Percentile = `p${number}`;
export type Stat = 'mean' | 'min' | 'max' | Percentile;

export interface Summary {
  n: number;
  mean: number;
  stddev: number;
  min: number;
  max: number;
  percentiles: Record<Percentile, number>;
  upper_bounds?: Record<Percentile, number>;
  lower_bounds?: Record<Percentile, number>;
}

export type Figure = number | Summary;

export interface MeanInterval {
  low: number;
  high: number;
  confidence: number;
  batches: number;
}

export interface RequestCounts {
  planned: number;
  completed: number;
  failed: number;
  cancelled: number;
  unsent: number;
}

export interface ClassReport {
  requests: RequestCounts;
  errors?: Record<string, number>;
  metrics: Partial<Record<Metric, Figure>>;
}

export interface TurnReport extends ClassReport {
  cached_prompt_share?: number;
}

export type Validity = { verdict: 'valid' } | { verdict: 'invalid'; reasons: string[] };

export type Steady =
  | { verdict: 'steady'; from_s: number; to_s: number }
  | {
      verdict: 'none';
      reason: 'too_short' | 'drift_up' | 'drift_down' | 'level_shift' | 'unstable';
      series?: string;
      change?: number;
    };

export interface GaugeSummary {
  mean: number;
  max: number;
}

export interface Measurement {
  level: number;
  repeat: number;
  window_s: number;
  elapsed_s: number;
  requests: RequestCounts;
  errors?: Record<string, number>;
  metrics: Partial<Record<Metric, Figure>>;
  intervals?: Partial<Record<Metric, MeanInterval>>;
  /** A rule ended the level early. */
  stopped?: {
    rule: 'saturated' | 'missed' | 'loser' | 'precise' | 'limit';
    after_s: number;
    reason: string;
    surplus?: number;
  };
  steady?: Steady;
  classes?: Record<string, ClassReport>;
  turns?: Record<string, TurnReport>;
  validity: Validity;
  client_bound?: boolean;
  evidence?: Record<string, number>;
  notes?: string[];
  server?: Record<string, unknown>;
}

/** A figure of a measurement or report. */
export function stat(report: { metrics: ClassReport['metrics'] }, metric: Metric, wanted: Stat): number | undefined {
  const figure = report.metrics[metric];
  if (figure === undefined || typeof figure === 'number') return figure;
  if (figure.n === 0) return undefined;
  if (wanted === 'mean' || wanted === 'min' || wanted === 'max') return figure[wanted];
  return figure.percentiles[wanted];
}

/** What one measurement knows of the uncertainty of its own figure. */
export interface Bounds {
  low?: number;
  high?: number;
  /** How often such intervals hold the true value. */
  confidence?: number;
  n?: number;
}

/** Of a mean from the means of batches, of a percentile from the order of its values. */
export function boundsOf(
  report: Pick<ClassReport, 'metrics'> & Pick<Measurement, 'intervals'>,
  metric: Metric,
  wanted: Stat,
): Bounds {
  const found = report.metrics[metric];
  if (typeof found === 'object' && wanted.startsWith('p')) {
    const [low, high] = [found.lower_bounds?.[wanted as Percentile], found.upper_bounds?.[wanted as Percentile]];
    return { low, high, confidence: high === undefined ? undefined : 0.98, n: found.n };
  }
  const mean = wanted === 'mean' ? report.intervals?.[metric] : undefined;
  return { low: mean?.low, high: mean?.high, confidence: mean?.confidence };
}

export function isValid(measurement: Measurement): boolean {
  return measurement.validity.verdict === 'valid';
}

export interface Spread {
  min: number;
  mean: number;
  max: number;
}

export interface ServerSample {
  at_s: number;
  gauges?: Partial<Record<'running' | 'waiting' | 'kv_usage', number>>;
  output_tokens?: number;
}

export interface GpuSample {
  at_s: number;
  index: number;
  utilization_percent?: number;
  memory_used_mib?: number;
  power_w?: number;
  clock_mhz?: number;
}

/** What was seen during one level. `crates/tuner-app/src/service/requests.rs` */
export interface Series {
  attempt: number;
  label: string;
  level: number;
  repeat: number;
  source?: string;
  figures: Partial<Record<'running' | 'waiting' | 'kv_usage', Spread>>;
  points: ServerSample[];
  gpus: { index: number; name?: string; figures: Record<string, Spread>; points: GpuSample[] }[];
}
