import type { GpuSample, Series, ServerSample } from '@/api/types';
import type { LiveLine } from '@/plots/LiveSeries';

/** Lines over one time axis, seconds from the begin of the level. */
export interface SeriesPlot {
  key: string;
  at: number[];
  lines: LiveLine[];
  unit?: string;
  range?: [number, number];
}

type Gauge = 'running' | 'waiting' | 'kv_usage';

function gauge(points: readonly ServerSample[], name: Gauge, factor = 1): (number | null)[] {
  return points.map((point) => {
    const value = point.gauges?.[name];
    return value === undefined ? null : value * factor;
  });
}

const some = (values: readonly (number | null)[]) => values.some((value) => value !== null);

/** Output tokens per second between one point and the next, from a count that grows. */
export function rateOf(points: readonly ServerSample[]): { at: number[]; values: (number | null)[] } {
  const counted = points.filter((point) => point.output_tokens !== undefined);
  const rates = counted.slice(1).map((point, index) => {
    const before = counted[index];
    const span = point.at_s - (before?.at_s ?? 0);
    return { at: point.at_s, value: ((point.output_tokens ?? 0) - (before?.output_tokens ?? 0)) / span };
  });
  return { at: rates.map(({ at }) => at), values: rates.map(({ value }) => (Number.isFinite(value) ? value : null)) };
}

/** What the engine showed of itself: batch and queue, KV cache, output rate. */
export function enginePlots(
  series: Series,
  names: { running: string; waiting: string; kv: string; rate: string },
): SeriesPlot[] {
  const { points } = series;
  const at = points.map((point) => point.at_s);
  const [running, waiting, kv] = [gauge(points, 'running'), gauge(points, 'waiting'), gauge(points, 'kv_usage', 100)];
  const rate = rateOf(points);
  const batch = [
    { label: names.running, values: running },
    { label: names.waiting, values: waiting },
  ].filter((line) => some(line.values));
  return [
    { key: 'rate', at: rate.at, lines: [{ label: names.rate, values: rate.values }], unit: 'tok/s' },
    { key: 'batch', at, lines: batch },
    {
      key: 'kv',
      at,
      lines: some(kv) ? [{ label: names.kv, values: kv }] : [],
      unit: '%',
      range: [0, 100] as [number, number],
    },
  ].filter((plot) => plot.lines.some((line) => some(line.values)));
}

export type GpuQuantity = 'utilization_percent' | 'memory_used_mib' | 'power_w' | 'clock_mhz';
export const GPU_QUANTITIES: GpuQuantity[] = ['utilization_percent', 'memory_used_mib', 'power_w', 'clock_mhz'];
const UNITS: Record<GpuQuantity, string> = {
  utilization_percent: '%',
  memory_used_mib: 'MiB',
  power_w: 'W',
  clock_mhz: 'MHz',
};

/** One quantity of all GPUs on one time axis; GPUs are looked at in turn, so their moments differ a little. */
export function gpuPlot(
  series: Series,
  quantity: GpuQuantity,
  name: (index: number, of?: string) => string,
): SeriesPlot | null {
  const moments = new Map<string, number>();
  for (const gpu of series.gpus) for (const point of gpu.points) moments.set(point.at_s.toFixed(2), point.at_s);
  const stamps = [...moments.keys()].sort((a, b) => Number(a) - Number(b));
  const lines = series.gpus.map((gpu) => {
    const byStamp = new Map(gpu.points.map((point: GpuSample) => [point.at_s.toFixed(2), point[quantity]]));
    return { label: name(gpu.index, gpu.name), values: stamps.map((stamp) => byStamp.get(stamp) ?? null) };
  });
  if (!lines.some((line) => some(line.values))) return null;
  return {
    key: quantity,
    at: stamps.map((stamp) => moments.get(stamp) ?? Number(stamp)),
    lines,
    unit: UNITS[quantity],
    range: quantity === 'utilization_percent' ? [0, 100] : undefined,
  };
}
