import type { Measurement, Metric, Percentile, Summary } from '@/api/types';
import { isValid } from '@/api/types';

export interface PercentilePoint {
  /** 0 to 100. */
  percentile: number;
  value: number;
}

/** Place of a percentile on an axis on which each further nine is as wide: 90 is 1, 99 is 2. */
export function nines(percentile: number): number {
  return -Math.log10(Math.max(1e-6, 1 - percentile / 100));
}

export function fromNines(place: number): number {
  return 100 * (1 - 10 ** -place);
}

/** Percentiles of a metric at a level; of several repeats the one with most requests. */
export function percentilesOf(measurements: readonly Measurement[], metric: Metric, level: number): PercentilePoint[] {
  const summaries = measurements
    .filter((measurement) => measurement.level === level && isValid(measurement))
    .map((measurement) => measurement.metrics[metric])
    .filter((figure): figure is Summary => typeof figure === 'object' && figure.n > 0);
  const summary = summaries.toSorted((a, b) => b.n - a.n)[0];
  if (!summary) return [];
  return Object.entries(summary.percentiles)
    .map(([name, value]) => ({ percentile: Number((name as Percentile).slice(1)), value }))
    .sort((a, b) => a.percentile - b.percentile);
}
