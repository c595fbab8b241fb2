import { describe, expect, test } from 'vitest';
import type { TaskDetail } from '@/api/types';
import { resolveObjective } from '@/format';
import { bestOf } from './best';
import { canonical, isOneQuestion, taskDoubts } from './comparable';
import { bestSoFar, reach, searchOf } from './progress';

describe('the best of a row', () => {
  test('is known to be so where intervals lie apart', () => {
    const apart = [
      { value: 10, low: 9, high: 11 },
      { value: 20, low: 19, high: 21 },
    ];
    expect(bestOf(apart, false)).toEqual({ at: [1], isClear: true });
    expect(bestOf(apart, true)).toEqual({ at: [0], isClear: true });
  });
  test('is doubted where they overlap, and not judged where they are unknown', () => {
    expect(
      bestOf(
        [
          { value: 10, low: 9, high: 15 },
          { value: 12, low: 11, high: 13 },
        ],
        false,
      )?.isClear,
    ).toBe(false);
    expect(bestOf([{ value: 10 }, { value: 12, low: 11, high: 13 }], false)).toEqual({ at: [1], isClear: undefined });
  });
  test('may be several, or none', () => {
    expect(bestOf([{ value: 1 }, { value: 1 }, { value: 0 }], false)?.at).toEqual([0, 1]);
    expect(bestOf([{ value: 1 }, { value: 1 }], false)).toBeUndefined();
    expect(bestOf([{ value: 1 }, { value: null }, { value: Number.NaN }], false)).toBeUndefined();
  });
});

const item = (number: number, objective: number | null, kind = 'search', cls = 'feasible') =>
  ({ number, objective, role: { kind }, score: objective === null ? null : { class: cls } }) as never;

describe('a search', () => {
  const items = [
    item(1, 100, 'baseline'),
    item(2, 90),
    item(3, null),
    item(4, 200, 'search', 'hard_violation'),
    item(5, 120),
    item(6, 130, 'verify'),
  ];

  test('has the best feasible so far, without verification', () => {
    const search = searchOf('a', resolveObjective('maximize_throughput'), items);
    expect(bestSoFar(search, false)).toEqual([
      [1, 100],
      [2, 100],
      [3, 100],
      [4, 100],
      [5, 120],
    ]);
    expect(bestSoFar(search, true).at(-1)?.[1]).toBeCloseTo(20);
    expect(reach(search, false)).toEqual([
      [90, 1],
      [100, 0.75],
      [120, 0.5],
      [200, 0.25],
    ]);
  });

  test('of times goes down, and its gain up', () => {
    const search = searchOf('a', resolveObjective('minimize_ttft'), items);
    expect(bestSoFar(search, false).at(-1)).toEqual([5, 90]);
    expect(bestSoFar(search, true).at(-1)?.[1]).toBeCloseTo(11.11, 1);
    expect(reach(search, false)[0]).toEqual([200, 1]);
  });
});

describe('tasks', () => {
  const task = (more: object) =>
    ({
      task: {
        engine: { name: 'vllm' },
        model: { id: 'm' },
        workload: { scenario: 'D(1,1)' },
        load: { levels: [{ concurrency: 8 }] },
        objectives: ['maximize_throughput'],
        search_space: { parameters: {} },
        ...more,
      },
    }) as unknown as TaskDetail;

  test('that ask the same have nothing against them', () => {
    const reordered = task({ objectives: [{ stat: 'mean', metric: 'output_throughput' }] });
    expect(taskDoubts([task({}), reordered], [])).toEqual([]);
    expect(isOneQuestion([task({}), reordered])).toBe(true);
  });

  test('say in what they cannot be compared', () => {
    const doubts = taskDoubts([task({}), task({ engine: { name: 'sglang' }, load: { levels: [{ rate: 2 }] } })], []);
    expect(doubts[0]).toContain('vllm; sglang');
    expect(doubts[1]).toContain('c8; 2/s poisson');
    expect(isOneQuestion([task({}), task({ load: { levels: [{ rate: 2 }] } })])).toBe(false);
  });

  test('are told apart by meaning, not by order', () => {
    expect(canonical({ b: 1, a: [{ d: 1, c: 2 }] })).toBe(canonical({ a: [{ c: 2, d: 1 }], b: 1 }));
  });
});
