import { describe, expect, test } from 'vitest';
import type { ExperimentDetail, TaskDetail } from '@/api/types';
import { resolveObjective } from '@/format';
import type { PlotTheme } from '@/plots/theme';
import { bestOf } from './best';
import { canonical, isOneQuestion, taskDoubts } from './comparable';
import { followed } from './followed';
import { bestSoFar, reach, searchOf } from './progress';
import { bestSoFarOption, reachOption, tableOf } from './SearchPlots';

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

describe('plots of searches', () => {
  const THEME = { series: ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8'] } as unknown as PlotTheme;
  const searches = [
    searchOf('a', resolveObjective('maximize_throughput'), [item(1, 100, 'baseline'), item(2, 120), item(3, 110)]),
    searchOf('b', resolveObjective('maximize_throughput'), [item(1, 90, 'baseline'), item(2, null)]),
  ];
  const lines = { searches, isRelative: false };
  // biome-ignore lint/suspicious/noExplicitAny: options of echarts are loose, and tests look into them
  type Loose = any;

  test('the distribution of a task falls from all of its measured experiments to its best', () => {
    const option: Loose = reachOption(lines, THEME);
    expect(option.series.map((one: Loose) => one.data)).toEqual([
      [
        [100, 1],
        [110, 2 / 3],
        [120, 1 / 3],
      ],
      [[90, 1]],
    ]);
    expect(option.yAxis).toMatchObject({ min: 0, max: 1 });
    expect(option.xAxis.name).toBe('Output throughput (tok/s)');
  });

  test('differ in dash and symbol as well as in colour, and have a table twin', () => {
    const option: Loose = bestSoFarOption(lines, THEME);
    const looks = option.series.map((one: Loose) => [one.lineStyle.type, one.symbol, one.lineStyle.color].join());
    expect(new Set(looks).size).toBe(2);
    const table = tableOf(lines, (search) => reach(search, false), ['value', 'share']);
    expect(table).toEqual({
      columns: ['Task', 'value', 'share'],
      rows: [
        ['a', 100, 1],
        ['a', 110, 2 / 3],
        ['a', 120, 1 / 3],
        ['b', 90, 1],
      ],
    });
  });
});

describe('logs side by side', () => {
  const detail = (number: number, isOpen: boolean) =>
    ({
      experiment: { number, attempts: [{ number: 1, ended_at: isOpen ? undefined : '2026-01-01T00:00:00Z' }] },
    }) as unknown as ExperimentDetail;

  test('follow three that grow, and leave connections for the rest of the page', () => {
    const shown = [detail(1, false), ...[2, 3, 4, 5].map((number) => detail(number, true))];
    expect([...followed(shown)].sort()).toEqual([1, 3, 4, 5]);
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
