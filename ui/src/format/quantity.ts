import type { Metric } from '@/api/types';
import { NONE, number, percent, withUnit } from './number';

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes with a binary prefix. */
export function bytes(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const power = Math.min(BINARY.length - 1, Math.max(0, Math.floor(Math.log2(Math.abs(value) || 1) / 10)));
  return `${power === 0 ? value : number(value / 1024 ** power, digits)} ${BINARY[power]}`;
}

const UNITS: Record<Metric, string> = {
  ttft: 'ms',
  ttft_resp: 'ms',
  ttfat: 'ms',
  tpot: 'ms',
  itl: 'ms',
  icl: 'ms',
  e2e_latency: 'ms',
  e2e_resp: 'ms',
  output_throughput: 'tok/s',
  input_throughput: 'tok/s',
  total_throughput: 'tok/s',
  request_throughput: 'req/s',
  goodput: 'req/s',
  attainment: '',
  error_rate: '',
  concurrency: '',
  output_tokens: 'tok',
  input_tokens: 'tok',
  quality: '',
};

const SHARES: ReadonlySet<Metric> = new Set(['attainment', 'error_rate']);

/** Unit of a metric; empty where it has none. As `Metric::unit` in `crates/tuner-core/src/measure.rs`. */
export function unitOf(metric: Metric): string {
  return UNITS[metric] ?? '';
}

/** Whether less of it is better. */
export function smallerIsBetter(metric: Metric): boolean {
  return unitOf(metric) === 'ms' || metric === 'error_rate';
}

/** A figure of a metric with its unit; long times in seconds. */
export function figure(metric: Metric, value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return NONE;
  if (SHARES.has(metric)) return percent(value, digits);
  if (unitOf(metric) === 'ms') return milliseconds(value, digits);
  return withUnit(value, unitOf(metric), digits);
}

/** `0.42 ms`, `312 ms`, `4.21 s`. */
export function milliseconds(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return NONE;
  return Math.abs(value) >= 10_000 ? withUnit(value / 1000, 's', digits) : withUnit(value, 'ms', digits);
}
