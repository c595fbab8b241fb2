import { describe, expect, test } from 'vitest';
import type { Measurement } from '@/api/types';
import { experiment, ITEMS, sample } from '../testing/sample';
import { findQuantity, quantities } from './axes';
import type { PlotTask } from './points';
import { outline, spreadOf } from './spread';

const quantityOf = (task: PlotTask, word: string) => {
  const found = findQuantity(quantities(task), word);
  if (!found) throw new Error(word);
  return found;
};
const pointOf = (task: PlotTask, number: number) => {
  const found = task.points.find((point) => point.number === number);
  if (!found) throw new Error(`${number}`);
  return found;
};
const verify = (number: number, block: number, objective: number, ttft: number) =>
  experiment({ number, seqs: 64, cache: false, objective, ttft, role: { kind: 'verify', block, arm: 'best' } });

const measurement = (more: Partial<Measurement>) =>
  ({
    level: 1,
    repeat: 0,
    requests: { completed: 100 },
    metrics: {},
    validity: { verdict: 'valid' },
    ...more,
  }) as unknown as Measurement;

describe('how far a figure is known', () => {
  test('of one run without intervals nothing is, and nothing is made up', () => {
    const task = sample();
    expect(spreadOf(task, pointOf(task, 6), quantityOf(task, 'objective'))).toBeNull();
    expect(spreadOf(task, pointOf(task, 4), quantityOf(task, 'objective'))).toBeNull();
  });

  test('comes from the runs that repeat the configuration', () => {
    const task = sample([...ITEMS, verify(7, 0, 1400, 380), verify(8, 1, 1600, 420)]);
    const spread = spreadOf(task, pointOf(task, 6), quantityOf(task, 'objective'));
    expect(spread).toMatchObject({ from: 'runs', n: 3, confidence: 0.95 });
    // 1500 ± 4.303 · 100 / √3
    expect(spread?.low).toBeCloseTo(1251.6, 0);
    expect(spread?.high).toBeCloseTo(1748.4, 0);
    expect(spreadOf(task, pointOf(task, 6), quantityOf(task, 'ttft_p99'))).toMatchObject({ from: 'runs', n: 3 });
    expect(spreadOf(task, pointOf(task, 3), quantityOf(task, 'objective'))).toBeNull();
  });

  test('does not reach below nothing', () => {
    const task = sample([...ITEMS, verify(7, 0, 1500, 10), verify(8, 1, 1500, 10)]);
    const spread = spreadOf(task, pointOf(task, 6), quantityOf(task, 'ttft_p99'));
    expect(spread).toMatchObject({ low: 0, n: 3 });
    expect(spread?.high).toBeGreaterThan(400);
  });

  test('of two runs is only how far they are apart', () => {
    const task = sample([...ITEMS, verify(7, 0, 1400, 380)]);
    expect(spreadOf(task, pointOf(task, 6), quantityOf(task, 'objective'))).toEqual({
      from: 'runs',
      n: 2,
      low: 1400,
      high: 1500,
    });
  });

  test('does not come from numbers and durations', () => {
    const task = sample([...ITEMS, verify(7, 0, 1400, 380)]);
    for (const word of ['number', 'elapsed_s'])
      expect(spreadOf(task, pointOf(task, 6), quantityOf(task, word))).toBeNull();
  });

  test('comes from repeats of the level, those that are valid', () => {
    const task = sample();
    const point = pointOf(task, 6);
    const deciding = point.levels.find((level) => level.level === point.level);
    if (!deciding) throw new Error('no level');
    const repeat = (tokens: number, valid = true) => ({
      ...deciding,
      valid,
      figures: { ...deciding.figures, output_throughput_mean_tok_per_s: tokens },
    });
    const repeated = { ...point, levels: [repeat(1480), repeat(1520), repeat(9, false)] };
    const spread = spreadOf(task, repeated, quantityOf(task, 'output_throughput'));
    expect(spread).toMatchObject({ from: 'repeats', n: 2, low: 1480, high: 1520 });
  });

  test('comes else from what the measurement knows of itself', () => {
    const task = sample();
    const known = measurement({
      metrics: {
        output_throughput: 1500,
        ttft: {
          n: 100,
          mean: 200,
          stddev: 1,
          min: 1,
          max: 500,
          percentiles: { p99: 400 },
          lower_bounds: { p99: 350 },
          upper_bounds: { p99: 480 },
        },
      },
      intervals: { output_throughput: { low: 1450, high: 1550, confidence: 0.95, batches: 20 } },
    });
    const point = pointOf(task, 6);
    expect(spreadOf(task, point, quantityOf(task, 'objective'), [known])).toEqual({
      from: 'within',
      low: 1450,
      high: 1550,
      confidence: 0.95,
    });
    expect(spreadOf(task, point, quantityOf(task, 'ttft_p99'), [known])).toMatchObject({ low: 350, high: 480 });
    const elsewhere = { ...known, level: 0 };
    expect(spreadOf(task, point, quantityOf(task, 'objective'), [elsewhere])).toBeNull();
  });
});

describe('the outline of what is known', () => {
  const spread = (low: number, high: number) => ({ low, high, from: 'within' as const, confidence: 0.95 });

  test('is an ellipse as wide and as high as the intervals, around the point', () => {
    const line = outline({ x: 100, y: 10 }, { x: spread(80, 150), y: spread(9, 11) });
    const [xs, ys] = [line.map(([x]) => x), line.map(([, y]) => y)];
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([80, 150]);
    expect(Math.min(...ys)).toBeCloseTo(9);
    expect(Math.max(...ys)).toBeCloseTo(11);
    const top = line.find(([, y]) => y > 10.999);
    expect(top?.[0]).toBeCloseTo(100);
  });

  test('is a bar where one is known, and nothing where none is', () => {
    expect(outline({ x: 100, y: 10 }, { x: spread(80, 150), y: null })).toEqual([
      [80, 10],
      [150, 10],
    ]);
    expect(outline({ x: 100, y: 10 }, { x: null, y: spread(9, 11) })).toEqual([
      [100, 9],
      [100, 11],
    ]);
    expect(outline({ x: 100, y: 10 }, { x: null, y: null })).toEqual([]);
  });

  test('stands where the mean of the runs is, also where the run that is drawn is not', () => {
    expect(outline({ x: 100, y: 10 }, { x: spread(110, 130), y: null })).toEqual([
      [110, 10],
      [130, 10],
    ]);
  });
});
