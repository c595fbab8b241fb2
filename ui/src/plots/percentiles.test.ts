import { describe, expect, test } from 'vitest';
import { type Curve, drawable, knownPercentiles, percentileOption, percentileTable, slosOn } from './percentiles';
import type { PlotTheme } from './theme';

const theme = { surface: '#fff', bad: '#c00', series: ['#1', '#2', '#3', '#4', '#5', '#6', '#7', '#8'] } as PlotTheme;
const ttft = {
  n: 100,
  mean: 5,
  stddev: 1,
  min: 1,
  max: 20,
  percentiles: { p99: 18, p50: 5, 'p99.9': 20, p90: 9 },
  lower_bounds: { p50: 4 },
  upper_bounds: { p50: 6 },
};
const curves: Curve[] = [{ name: 'c8', metrics: { ttft, output_throughput: 3 } }];
interface Series {
  id: string;
  data: ({ value: number; itemStyle?: object } | number[] | null)[];
  markLine?: object;
}
const seriesOf = (limit: number) =>
  percentileOption(curves, 'ttft', [{ stat: 'p99', most: limit }], theme).series as Series[];

describe('percentile curves', () => {
  test('are drawn of distributions only, in the order of the percentiles', () => {
    expect(drawable(curves)).toEqual(['ttft']);
    expect(knownPercentiles(curves, 'ttft')).toEqual(['p50', 'p90', 'p99', 'p99.9']);
  });

  test('are hollow where too few requests stand behind a point', () => {
    const line = seriesOf(15).find(({ id }) => id === 'curve 0');
    expect(line?.data.map((point) => point !== null && 'itemStyle' in point)).toEqual([false, true, true, true]);
    expect(seriesOf(15).find(({ id }) => id === 'bounds 0')?.data).toEqual([[0, 4, 6]]);
  });

  test('have the limit of an SLO at its percentile, unless it is far above', () => {
    expect(seriesOf(15).find(({ id }) => id === 'slo')?.data).toEqual([[2, 15]]);
    expect(seriesOf(1500).some(({ id }) => id === 'slo')).toBe(false);
    const slos = [
      { metric: 'ttft' as const, max_ms: 15 },
      { metric: 'tpot' as const, max_ms: 1 },
      { metric: 'ttft' as const, min: 1 },
    ];
    expect(slosOn(slos, 'ttft')).toEqual([{ stat: 'p99', most: 15 }]);
  });

  test('have a table twin with the bounds', () => {
    const table = percentileTable(curves, 'ttft');
    expect(table.columns).toHaveLength(4);
    expect(table.rows[0]).toEqual(['p50', 5, 4, 6]);
    expect(table.rows[2]).toEqual(['p99', 18, undefined, undefined]);
  });
});
