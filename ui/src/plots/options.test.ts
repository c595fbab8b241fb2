import { describe, expect, test } from 'vitest';
import type { Measurement } from '@/api/types';
import { curveOption, curveTable } from './curve';
import { alone } from './data/alone';
import { findQuantity, quantities } from './data/axes';
import { curvesOf } from './data/curve';
import { measurementAt } from './data/measured';
import { lanesOf, wholeSpans } from './data/spans';
import { bestSoFar, historyOption, historyTable, placed } from './history';
import { barsOf, importanceOption, importanceTable } from './importance';
import { gridOf, interactionOption } from './interaction';
import { markedOf } from './marks';
import { dimensionOf, linesOf, objectiveDimension, parallelOption } from './parallelOption';
import { paretoOption, paretoTable, spreadsOf, spreadWords, tradeOf } from './pareto';
import { forecastOf, groupsOf, sliceOption, sliceTable } from './slice';
import { only } from './TaskView';
import { experiment, ITEMS, sample, THEME } from './testing/sample';
import { timelineOption } from './timeline';
import { escapeHtml, pointTip } from './tip';
import { readView } from './view';

const task = sample();
const NONE: ReadonlySet<number> = new Set();
const all = quantities(task);
const quantity = (word: string) => {
  const found = findQuantity(all, word);
  if (!found) throw new Error(word);
  return found;
};
// biome-ignore lint/suspicious/noExplicitAny: options of echarts are loose, and tests look into them
type Loose = any;

describe('history', () => {
  test('steps with what is best so far and meets the SLOs', () => {
    expect(bestSoFar(placed(task.points, 'number'), task)).toEqual([
      [1, 1000],
      [3, 1200],
      [6, 1500],
    ]);
  });

  test('stands by number, by time, or by what was spent', () => {
    expect(placed(task.points, 'time').map(({ x }) => x)).toEqual([50, 110, 170, 230, 290, 350]);
    expect(placed(task.points, 'cost').at(-1)?.x).toBe(300);
  });

  test('has a series for each state, and a strip for what has no result', () => {
    const option: Loose = historyOption(task, 'number', false, markedOf(task, NONE), THEME);
    const names = option.series.map((one: Loose) => one.id);
    expect(names).toEqual(['best so far', 'state success', 'state missed', 'strip state infeasible']);
    const symbols = option.series.slice(1).map((one: Loose) => one.symbol);
    expect(new Set(symbols).size).toBe(3);
  });

  test('fades what is not selected', () => {
    const option: Loose = historyOption(task, 'number', false, markedOf(task, new Set([3])), THEME);
    const items = option.series[1].data;
    const of = (name: string) => items.find((item: Loose) => item.name === name);
    expect(of('3').itemStyle.opacity).toBe(1);
    expect(of('2').itemStyle.opacity).toBeLessThan(0.3);
  });

  test('shows repeats with their error', () => {
    const [first, ...rest] = ITEMS;
    const score = first?.score ? { ...first.score, noise: 0.1 } : null;
    const noisy = sample(first ? [{ ...first, score }, ...rest] : rest);
    const option: Loose = historyOption(noisy, 'number', false, markedOf(noisy, NONE), THEME);
    expect(option.series.at(-1)).toMatchObject({ id: 'noise', data: [[1, 900, 1100]] });
  });

  test('has a table twin with every experiment', () => {
    expect(historyTable(task).rows).toHaveLength(6);
    expect(historyTable(task).rows[3]?.slice(0, 3)).toEqual([4, 'infeasible', null]);
  });
});

describe('trade-off', () => {
  const trade = tradeOf(task, quantity('ttft_p99'), quantity('output_throughput'));
  const look = { logX: false, logY: false, frontOnly: false };

  test('has on its front what meets the SLOs and no other beats', () => {
    expect(trade.front.map(({ number }) => number)).toEqual([2, 3, 6]);
  });

  test('draws the limit and shades what meets it', () => {
    const option: Loose = paretoOption(task, trade, look, markedOf(task, NONE), THEME);
    expect(option.series[0].markLine.data[0]).toMatchObject({ xAxis: 1500, name: 'ttft p99 ≤ 1500 ms' });
    expect(option.series[0].markArea.data[0][1].coord[0]).toBe(1500);
  });

  test('hides what is dominated, but never the baseline', () => {
    const option: Loose = paretoOption(task, trade, { ...look, frontOnly: true }, markedOf(task, NONE), THEME);
    const shown = option.series.slice(1).flatMap((one: Loose) => one.data.map((item: Loose) => Number(item.name)));
    expect(shown.sort()).toEqual([1, 2, 3, 6]);
  });

  test('says in its table what is on the front', () => {
    expect(paretoTable(trade).rows.filter((row) => row[4] === 'front')).toHaveLength(3);
    expect(paretoTable(trade).columns).toHaveLength(6);
  });

  describe('with uncertainty', () => {
    const again = (number: number, objective: number, ttft: number) =>
      experiment({
        number,
        seqs: 64,
        cache: false,
        objective,
        ttft,
        role: { kind: 'verify', block: number, arm: 'best' },
      });
    const verified = sample([...ITEMS, again(7, 1450, 380), again(8, 1550, 430)]);
    const sure = tradeOf(verified, quantity('ttft_p99'), quantity('output_throughput'));
    const spreads = spreadsOf(verified, sure);

    test('outlines those of the front that ran again, and no other', () => {
      expect([...spreads.keys()]).toEqual([6]);
      const option: Loose = paretoOption(verified, sure, look, markedOf(verified, NONE), THEME, spreads);
      const drawn = option.series.find((one: Loose) => one.id === 'spread');
      expect(drawn.data).toHaveLength(1);
      const coord = ([x, y]: number[]) => [x, y];
      const { children } = drawn.renderItem({ dataIndex: 0 }, { coord });
      expect(children[0].type).toBe('polygon');
      expect(children[0].shape.points.length).toBeGreaterThan(30);
      expect(option.legend.data.at(-1).name).toBe('uncertainty');
      const plain: Loose = paretoOption(verified, sure, look, markedOf(verified, NONE), THEME);
      expect(plain.series.some((one: Loose) => one.id === 'spread')).toBe(false);
    });

    test('stays on a logarithmic axis where an interval reaches below nothing', () => {
      const low = new Map([
        [6, { x: { low: -50, high: 900, from: 'runs' as const, n: 3, confidence: 0.95 }, y: null }],
      ]);
      const option: Loose = paretoOption(verified, sure, { ...look, logX: true }, markedOf(verified, NONE), THEME, low);
      const drawn = option.series.find((one: Loose) => one.id === 'spread');
      expect(drawn.data[0][0]).toBeGreaterThan(0);
      expect(option.xAxis.min).toBeGreaterThan(20);
    });

    test('says in the tooltip and the table what the interval is and where it comes from', () => {
      const option: Loose = paretoOption(verified, sure, look, markedOf(verified, NONE), THEME, spreads);
      expect(option.tooltip.formatter({ name: '6' })).toContain('95 % interval, mean of 3 runs of this configuration');
      expect(option.tooltip.formatter({ name: '3' })).not.toContain('interval');
      const table = paretoTable(sure, spreads);
      expect(table.columns).toHaveLength(12);
      const row = table.rows.find(([number]) => number === 6);
      expect(row?.[7]).toBe('95 % interval, mean of 3 runs of this configuration');
      expect(spreadWords({ low: 1, high: 2, from: 'repeats', n: 2 })).toBe('lowest and highest of two repeats');
    });
  });
});

describe('curves', () => {
  const curves = curvesOf(task, 'ttft_p99_ms', 'output_throughput_mean_tok_per_s');
  const look = {
    latency: { key: 'ttft_p99_ms', label: 'TTFT', unit: 'ms' },
    throughput: { key: 'output_throughput_mean_tok_per_s', label: 'output', unit: 'tok/s' },
    limit: task.limits[0],
    logX: true,
  };

  test('the best, the baseline and the selected are lines of their own, the others one series', () => {
    const option: Loose = curveOption(task, curves, look, new Set([2]), THEME);
    expect(option.series.map((one: Loose) => one.name ?? one.id)).toEqual([
      'others',
      'best #6',
      'baseline #1',
      '#2',
      'slo',
    ]);
    expect(option.series[0].data).toHaveLength(2);
    expect(option.series[1].markPoint.data).toHaveLength(1);
  });

  test('the table names the highest load within the SLOs', () => {
    const rows = curveTable(curves, look).rows.filter((row) => row[0] === 1);
    expect(rows.map((row) => row[5])).toEqual(['', 'highest load within the SLOs']);
  });
});

describe('parallel coordinates', () => {
  test('numbers are few categories or an axis; what is not set has a place below', () => {
    expect(dimensionOf('max-num-seqs', task.points)).toMatchObject({
      kind: 'category',
      categories: ['not set', '16', '64', '128', '256'],
    });
    const many = sample([
      experiment({ number: 1, objective: 1 }),
      ...Array.from({ length: 20 }, (_, n) => experiment({ number: n + 2, seqs: n + 10, objective: n })),
    ]);
    const dimension = dimensionOf('max-num-seqs', many.points);
    expect(dimension.kind).toBe('number');
    expect(dimension.unset).toBeLessThan(10);
    const [baseline] = many.points;
    expect(baseline && dimension.of(baseline)).toBe(dimension.unset);
  });

  test('draws the best share, best on top, and failures where they are wanted', () => {
    expect(linesOf(task, { top: 1, failures: false }).map(({ number }) => number)).toEqual([2, 1, 3, 6, 5]);
    expect(linesOf(task, { top: 0.2, failures: true }).map(({ number }) => number)).toEqual([4, 5]);
  });

  test('every line has a value on every axis', () => {
    const points = linesOf(task, { top: 1, failures: true });
    const dimensions = [dimensionOf('max-num-seqs', points), objectiveDimension(task, points)];
    const option: Loose = parallelOption(task, points, dimensions, NONE, THEME);
    for (const line of option.series[0].data) expect(line.value.every((value: unknown) => value != null)).toBe(true);
  });
});

describe('importance', () => {
  const importance = {
    shares: [
      { parameter: 'max-num-seqs', share: 0.2 },
      { parameter: 'enable-prefix-caching', share: 0.7 },
    ],
    interactions: 0.1,
    measured: 5,
    caution: true,
  };
  const bars = barsOf(importance, alone(task, 'objective'));

  test('puts the most important first', () => {
    expect(bars.map(({ parameter }) => parameter)).toEqual(['enable-prefix-caching', 'max-num-seqs']);
    expect(importanceTable(bars).rows[0]?.slice(0, 2)).toEqual(['enable-prefix-caching', 0.7]);
  });

  test('is grey while there is too little to say', () => {
    const weak: Loose = importanceOption(bars, 0.1, true, THEME);
    const sure: Loose = importanceOption(bars, 0.1, false, THEME);
    expect(weak.series[0].itemStyle.opacity).toBeLessThan(sure.series[0].itemStyle.opacity);
  });
});

describe('slices and interactions', () => {
  test('means have their interval and what they rest on', () => {
    const groups = groupsOf(task.points, 'max-num-seqs', quantity('objective'));
    expect(groups.find(({ label }) => label === '64')).toMatchObject({ n: 2, mean: 1350 });
    expect(groups.find(({ label }) => label === '16')?.low).toBeUndefined();
  });

  test('a slice of a latency shows its SLO', () => {
    const option: Loose = sliceOption(
      task,
      'max-num-seqs',
      quantity('ttft_p99'),
      { logY: false },
      markedOf(task, NONE),
      THEME,
    );
    const mean = option.series.find((one: Loose) => one.id === 'mean');
    expect(mean.markLine.data).toEqual([{ yAxis: 1500 }]);
  });

  const series = (option: Loose, id: string) => option.series.find((one: Loose) => one.id === id);
  const around = (value: number | boolean | null, mean: number) => ({ value, mean, low: mean - 100, high: mean + 150 });

  test('what is expected of categories are marks with whiskers, also of those that nobody tried', () => {
    const slices = [{ parameter: 'enable-prefix-caching', points: [around(false, 1400), around(true, 1250)] }];
    const forecast = forecastOf({ experiment: 6, slices }, 'enable-prefix-caching', quantity('objective'));
    const option: Loose = sliceOption(
      task,
      'enable-prefix-caching',
      quantity('objective'),
      { logY: false },
      markedOf(task, NONE),
      THEME,
      forecast,
    );
    expect(option.xAxis.data).toEqual(['not set', 'false', 'true']);
    expect(series(option, 'mean').data).toEqual([]);
    expect(series(option, 'expected').data).toEqual([
      [1, 1400],
      [2, 1250],
    ]);
    expect(series(option, 'interval').data).toEqual([
      [1, 1300, 1550],
      [2, 1150, 1400],
    ]);
    const untried = { experiment: 6, points: [around(512, 1000)] };
    const more: Loose = sliceOption(
      task,
      'max-num-seqs',
      quantity('objective'),
      { logY: false },
      markedOf(task, NONE),
      THEME,
      untried,
    );
    expect(more.xAxis.data.at(-1)).toBe('512');
  });

  test('what is expected on a scale is a line in a band, and what is not set stands alone', () => {
    const points = [
      around(256, 1700),
      around(null, 900),
      ...[16, 24, 32, 48, 64, 96, 128, 192].map((n) => around(n, n * 10)),
    ];
    const forecast = forecastOf(
      { experiment: 6, slices: [{ parameter: 'max-num-seqs', points }] },
      'max-num-seqs',
      quantity('objective'),
    );
    const option: Loose = sliceOption(
      task,
      'max-num-seqs',
      quantity('objective'),
      { logX: true, logY: false },
      markedOf(task, NONE),
      THEME,
      forecast,
    );
    expect(option.xAxis.type).toBe('log');
    const line = series(option, 'mean').data;
    expect(line.map(([x]: number[]) => x)).toEqual([16, 24, 32, 48, 64, 96, 128, 192, 256]);
    const api = { coord: (at: number[]) => at };
    const shape = series(option, 'band').renderItem({ dataIndex: 0 }, api).shape;
    expect(shape.points).toHaveLength(18);
    expect(shape.points[0]).toEqual([16, 310]);
    expect(shape.points.at(-1)).toEqual([16, 60]);
    expect(series(option, 'band').renderItem({ dataIndex: 1 }, api)).toBeUndefined();
    expect(series(option, 'expected').data).toEqual([[option.xAxis.min, 900]]);
    const even: Loose = sliceOption(
      task,
      'max-num-seqs',
      quantity('objective'),
      { logX: false, logY: false },
      markedOf(task, NONE),
      THEME,
      forecast,
    );
    expect(even.xAxis.min).toBeLessThan(0);
    expect(even.xAxis.axisLabel.formatter(even.xAxis.min)).toBe('not set');
    expect(even.xAxis.axisLabel.formatter(50)).toBe('50');
    // The baseline is named among the marks.
    const marks = series(option, 'state success').data;
    expect(marks.find((item: Loose) => item.name === '1').label.formatter).toBe('baseline');
  });

  test('where nothing is expected the means of what was tried stay', () => {
    expect(forecastOf(null, 'max-num-seqs', quantity('objective'))).toBeNull();
    expect(forecastOf(undefined, 'max-num-seqs', quantity('objective'))).toBeNull();
    const expected = { experiment: 6, slices: [{ parameter: 'max-num-seqs', points: [around(16, 600)] }] };
    expect(forecastOf(expected, 'enable-prefix-caching', quantity('objective'))).toBeNull();
    expect(forecastOf(expected, 'max-num-seqs', quantity('ttft_p99'))).toBeNull();
    const option: Loose = sliceOption(
      task,
      'max-num-seqs',
      quantity('objective'),
      { logY: false },
      markedOf(task, NONE),
      THEME,
    );
    expect(series(option, 'mean').data.length).toBeGreaterThan(2);
    expect(series(option, 'band')).toBeUndefined();
  });

  test('the table has what is expected below what was measured', () => {
    const forecast = { experiment: 6, points: [around(16, 600)] };
    const table = sliceTable(task, 'max-num-seqs', quantity('objective'), forecast);
    expect(table.columns.slice(-2)).toEqual(['5th percentile', '95th percentile']);
    expect(table.rows.at(-1)).toEqual([6, 'expected', 16, 600, 500, 750]);
    expect(sliceTable(task, 'max-num-seqs', quantity('objective')).columns).toHaveLength(4);
  });

  test('cells count what cannot run, and those that nobody tried are absent', () => {
    const grid = gridOf(task, 'max-num-seqs', 'enable-prefix-caching');
    const bad = grid.cells.find(({ infeasible }) => infeasible > 0);
    expect(bad).toMatchObject({ numbers: [4], measured: 0, mean: null });
    expect(grid.cells).toHaveLength(6);
    const option: Loose = interactionOption(task, grid, 'infeasible', THEME);
    expect(option.visualMap.max).toBe(1);
  });
});

describe('timeline and latency', () => {
  test('a bar for each phase in the lane of its worker', () => {
    const spans = wholeSpans(task.points, new Set());
    const option: Loose = timelineOption(task, spans, lanesOf(spans, 0), NONE, 0, THEME);
    expect(option.series[0].data).toHaveLength(6);
    expect(option.yAxis.data).toEqual(['lane 1']);
  });

  test('a level is measured by its valid repeat with most requests', () => {
    const measured = (completed: number, verdict: 'valid' | 'invalid') =>
      ({ level: 1, requests: { completed }, validity: { verdict, reasons: [] } }) as unknown as Measurement;
    const list = [measured(10, 'valid'), measured(20, 'valid'), measured(30, 'invalid')];
    expect(measurementAt(list, 1)?.requests.completed).toBe(20);
    expect(measurementAt(list, 0)).toBeUndefined();
  });
});

describe('views by specification', () => {
  test('what the agent says is read, and nothing else', () => {
    expect(readView({ task_id: 'x', kind: 'history', x: null, y: null, experiments: null })).toMatchObject({
      kind: 'history',
    });
    expect(readView({ task_id: 'x', kind: 'pie' })).toBeNull();
    expect(readView('history')).toBeNull();
    expect(readView({ task_id: 'x', kind: 'slice', x: 'a', experiments: [1, 'b'] })?.experiments).toEqual([1]);
  });

  test('only the wanted experiments are drawn', () => {
    expect(only(task, [2, 3]).points.map(({ number }) => number)).toEqual([2, 3]);
    expect(only(task, null)).toBe(task);
  });

  test('what comes from files is escaped in tooltips', () => {
    expect(escapeHtml('<img src=x onerror="a">')).not.toContain('<');
    const [point] = task.points;
    const evil = point && { ...point, configuration: { flag: '<script>' } };
    expect(evil && pointTip(task, evil)).not.toContain('<script>');
  });
});
