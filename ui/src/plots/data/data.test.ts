import { describe, expect, test } from 'vitest';
import type { ServerEvent } from '@/events';
import { detail, experiment, ITEMS, sample } from '../testing/sample';
import { alone } from './alone';
import { columnFigure, columnKey, endsOf, figureAt, findQuantity, isWide, quantities, tradeAxes } from './axes';
import { binsOf } from './bins';
import { curvesOf, kneeOf, ranked } from './curve';
import { front, staircase } from './front';
import { limitOf, resolveObjective } from './objective';
import { leader, plotTask } from './points';
import { reasonsOf, rulesOf } from './rules';
import { lanesOf, spansOf, wholeSpans } from './spans';
import { explained, meanOf, stability, wilson } from './statistics';

describe('objectives and limits', () => {
  test('defaults are those of the server', () => {
    expect(resolveObjective('maximize_throughput')).toMatchObject({ metric: 'output_throughput', goal: 'maximize' });
    expect(resolveObjective('minimize_ttft')).toMatchObject({ goal: 'minimize', label: 'Time to first token mean' });
    expect(resolveObjective({ metric: 'ttft', stat: 'p99' })).toMatchObject({ goal: 'minimize', unit: 'ms' });
    expect(resolveObjective('maximize_goodput_per_gpu').unit).toBe('req/s/GPU');
  });

  test('an SLO without a statistic looks at p99 of times and at means of all else', () => {
    expect(limitOf({ metric: 'ttft', max_ms: 900 })?.label).toBe('ttft p99 ≤ 900 ms');
    expect(limitOf({ metric: 'output_throughput', min: 50 })).toMatchObject({ stat: 'mean', bound: 'min', value: 50 });
    expect(limitOf({ metric: 'ttft' })).toBeNull();
  });
});

describe('joining what the server tells', () => {
  test('a measured experiment that misses an SLO has a state of its own', () => {
    expect(sample().points.map(({ state }) => state)).toEqual([
      'success',
      'success',
      'success',
      'infeasible',
      'missed',
      'success',
    ]);
  });

  test('only what meets the SLOs leads, and what verifies does not', () => {
    const verify = experiment({ number: 7, objective: 9000, role: { kind: 'verify', block: 1, arm: 'best' } });
    const task = sample([...ITEMS, verify]);
    expect(leader(task.points, task.objective)?.number).toBe(6);
    expect(task.best).toBe(6);
  });

  test('a task is drawn before its report is there', () => {
    const task = plotTask(detail(), ITEMS, undefined);
    expect(task.hasReport).toBe(false);
    expect(task.points[0]?.levels).toEqual([]);
    expect(task.logarithmic.has('max-num-seqs')).toBe(true);
  });
});

describe('quantities', () => {
  const task = sample();
  const all = quantities(task);

  test('keys of columns are read and written', () => {
    expect(columnKey('ttft', 'p99.9')).toBe('ttft_p99_9_ms');
    expect(columnFigure('ttft_p99_9_ms')).toEqual({ metric: 'ttft', stat: 'p99.9' });
    expect(columnFigure('ttft_resp_p50_ms')).toEqual({ metric: 'ttft_resp', stat: 'p50' });
    expect(columnFigure('output_throughput_mean_tok_per_s')?.stat).toBe('mean');
    expect(columnFigure('nothing')).toBeNull();
  });

  test('words of the agent are understood', () => {
    expect(findQuantity(all, 'ttft_p99')?.id).toBe('ttft_p99_ms');
    expect(findQuantity(all, 'output_throughput')?.id).toBe('output_throughput_mean_tok_per_s');
    expect(findQuantity(all, 'max-num-seqs')?.group).toBe('parameter');
    expect(findQuantity(all, 'nonsense')).toBeUndefined();
  });

  test('figures are those of the deciding level, or of the one that is asked for', () => {
    const [point] = task.points;
    expect(point && figureAt(point, 'ttft_p99_ms')).toBe(900);
    expect(point && figureAt(point, 'ttft_p99_ms', 0)).toBe(450);
  });

  test('what is traded where nobody says: the SLO’s time and the objective’s rate', () => {
    expect(tradeAxes(task)).toEqual({ x: 'ttft_p99_ms', y: 'output_throughput_mean_tok_per_s' });
  });

  test('an axis reaches to a limit that is near, and not to one far away', () => {
    expect(endsOf([100, 1400], 1500, false).max).toBeGreaterThan(1500);
    expect(endsOf([1, 10], 1500, false).max).toBeUndefined();
    expect(isWide([10, 90])).toBe(true);
    expect(isWide([0, 90])).toBe(false);
  });
});

describe('the front', () => {
  const at = (number: number, x: number, y: number) => ({ number, x, y });
  const better = { x: 'smaller', y: 'larger' } as const;

  test('is what no other beats in both; equal points are all kept', () => {
    const points = [at(1, 1, 1), at(2, 2, 3), at(3, 3, 2), at(4, 4, 4), at(5, 2, 3)];
    expect(front(points, better).map(({ number }) => number)).toEqual([1, 2, 5, 4]);
  });

  test('is drawn as stairs that pass below what was not measured', () => {
    expect(staircase([at(1, 1, 1), at(2, 2, 3)], better)).toEqual([
      [1, 1],
      [2, 1],
      [2, 3],
    ]);
  });
});

describe('curves', () => {
  const task = sample();
  const curves = curvesOf(task, 'ttft_p99_ms', 'output_throughput_mean_tok_per_s');

  test('run in the order of the load, with the highest at which every SLO holds', () => {
    expect(curves[0]?.at.map(({ label }) => label)).toEqual(['c8', 'c48']);
    expect(curves[0]?.highest).toBe(1);
    expect(curves.find(({ point }) => point.number === 5)?.highest).toBeNull();
  });

  test('bend where more throughput costs much more latency', () => {
    const at = (latency: number, throughput: number) => ({ latency, throughput });
    expect(kneeOf([at(1, 0), at(2, 90), at(10, 100)])).toBe(1);
    expect(kneeOf([at(1, 1), at(2, 2), at(3, 3)])).toBeNull();
    expect(kneeOf([at(1, 1), at(2, 2)])).toBeNull();
  });

  test('the best and the baseline stand in front, then the selected; of the others the best', () => {
    const { front: shown, others } = ranked(curves, task, new Set([2]), 1);
    expect(shown.map(({ point }) => point.number)).toEqual([6, 1, 2]);
    expect(others.map(({ point }) => point.number)).toEqual([5]);
  });
});

describe('groups of values', () => {
  test('few values are each a group; what is not set comes first', () => {
    const bins = binsOf('max-num-seqs', sample().points);
    expect(bins.labels).toEqual(['not set', '16', '64', '128', '256']);
    expect(bins.of(64)).toBe(2);
    expect(bins.of(undefined)).toBe(0);
  });

  test('many numbers become ranges with about as many experiments', () => {
    const items = Array.from({ length: 100 }, (_, n) => experiment({ number: n + 1, seqs: n, objective: 1 }));
    const bins = binsOf('max-num-seqs', sample(items).points, 4);
    expect(bins.labels).toHaveLength(4);
    const counts = [0, 0, 0, 0];
    for (const item of items) {
      const at = bins.of(item.configuration['max-num-seqs']);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
  });
});

describe('statistics', () => {
  test('a share of few is unsure', () => {
    const { low, high } = wilson(3, 3);
    expect(low).toBeCloseTo(0.438, 2);
    expect(high).toBe(1);
    expect(wilson(0, 0)).toEqual({ share: 0, low: 0, high: 1 });
  });

  test('a mean of two has a wide interval, of one none', () => {
    expect(meanOf([1])).toEqual({ n: 1, mean: 1 });
    expect(meanOf([])).toBeNull();
    const two = meanOf([9, 11]);
    expect(two?.low).toBeCloseTo(10 - 12.71, 1);
  });

  test('groups that decide explain everything, groups by chance nothing', () => {
    const groups = Int32Array.from({ length: 100 }, (_, n) => n % 2);
    const decided = Float64Array.from(groups);
    const chance = Float64Array.from({ length: 100 }, (_, n) => n >> 1);
    const rows = Int32Array.from({ length: 100 }, (_, n) => n);
    expect(explained(groups, decided, rows, 2)).toBeCloseTo(1);
    expect(explained(groups, chance, rows, 2)).toBe(0);
    const { value, low, high } = stability(groups, decided, 2, 1);
    for (const one of [value, low, high]) expect(one).toBeCloseTo(1);
  });

  test('the same experiments give the same intervals', () => {
    const task = sample();
    expect(alone(task, 'objective')).toEqual(alone(task, 'objective'));
    expect(alone(task, 'infeasible').varies).toBe(true);
    expect(alone(task, 'slo 0').n).toBe(5);
  });
});

describe('where configurations cannot run', () => {
  const items = Array.from({ length: 40 }, (_, n) => {
    const isBad = n % 4 === 0;
    return experiment({
      number: n + 1,
      seqs: isBad ? 256 : 16,
      cache: n % 2 === 0,
      ...(isBad ? { outcome: 'infeasible' as const } : { objective: 1 }),
    });
  });

  test('the surest condition comes first, with how often', () => {
    const [rule] = rulesOf(sample(items));
    expect(rule?.conditions.map(({ words }) => words)).toEqual(['max-num-seqs ≥ 256']);
    expect([rule?.failed, rule?.tried]).toEqual([10, 10]);
  });

  test('nothing is learned from one failure, and reasons are told all the same', () => {
    expect(rulesOf(sample())).toEqual([]);
    expect(reasonsOf(sample())).toEqual([{ reason: 'oom_load', numbers: [4] }]);
  });
});

describe('phases', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 10, 28, 12, 0, second)).toISOString();
  const events = [
    { seq: 1, kind: 'attempt_started', experiment: 1, at: at(0), attempt: 1, worker: 'a' },
    { seq: 2, kind: 'phase', experiment: 1, at: at(0), attempt: 1, phase: 'loading' },
    { seq: 3, kind: 'attempt_started', experiment: 2, at: at(1), attempt: 1, worker: 'a' },
    { seq: 4, kind: 'phase', experiment: 2, at: at(1), attempt: 1, phase: 'loading' },
    { seq: 5, kind: 'phase', experiment: 1, at: at(5), attempt: 1, phase: 'level', level: 0 },
    { seq: 6, kind: 'attempt_ended', experiment: 1, at: at(9), attempt: 1, state: 'succeeded' },
  ] as ServerEvent[];

  test('last until the next, and what goes on has no end', () => {
    const spans = spansOf(events);
    expect(spans.map(({ number, phase }) => [number, phase])).toEqual([
      [1, 'loading'],
      [2, 'loading'],
      [1, 'level'],
    ]);
    expect(spans[1]?.to).toBeNull();
    expect(spans[2]?.to).toBe(Date.parse(at(9)));
  });

  test('experiments at once on one worker lie in lanes of their own', () => {
    const { lanes, laneOf } = lanesOf(spansOf(events), Date.parse(at(20)));
    expect(lanes.map(({ name }) => name)).toEqual(['a', 'a (2)']);
    expect(laneOf.get(1)).not.toBe(laneOf.get(2));
  });

  test('experiments without phases are shown whole', () => {
    expect(wholeSpans(sample().points, new Set([1, 2, 3, 4, 5]))).toMatchObject([{ number: 6, phase: 'whole' }]);
  });
});
