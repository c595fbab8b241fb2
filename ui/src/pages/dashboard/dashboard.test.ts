import { describe, expect, test } from 'vitest';
import type { Gpu, TaskItem } from '@/api/types';
import { segments } from '@/components/Sparkline';
import { barsOf, type DayExperiment, dayTable, mainState, statesInWords, tasksWithin, ticks } from './day';
import { daysOf, daysTable, OUTCOMES } from './days';
import { findingsOf } from './findings';
import { freeName } from './freeName';
import { KEPT, withReading } from './gpuHistory';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 28, 12, minute)).toISOString();
const time = (minute: number) => Date.parse(at(minute));
const experiment = (
  number: number,
  from: number,
  to: number | null,
  outcome: DayExperiment['outcome'] = 'success',
) => ({
  number,
  outcome,
  created_at: at(from),
  ended_at: to === null ? null : at(to),
});
const task = (part: Partial<TaskItem>) =>
  ({ name: 't', experiments: {}, started_at: null, ended_at: null, ...part }) as TaskItem;

describe('the line of time', () => {
  const span = { from: time(0), to: time(60) };
  const slot = 60_000;

  test('cuts at its ends and leaves out what lies outside', () => {
    const bars = barsOf(
      [experiment(1, -30, -10), experiment(2, -5, 5), experiment(3, 50, null, 'open'), experiment(4, 70, 80)],
      span,
      slot,
    );
    expect(bars.map((bar) => [bar.numbers, bar.from, bar.to])).toEqual([
      [[2], time(0), time(5)],
      [[3], time(50), time(60)],
    ]);
  });

  test('what runs at once lies in lanes, and lanes are used again', () => {
    const bars = barsOf([experiment(1, 0, 10), experiment(2, 5, 15), experiment(3, 12, 20)], span, slot);
    expect(bars.map((bar) => bar.lane)).toEqual([0, 1, 0]);
    const many = Array.from({ length: 9 }, (_, n) => experiment(n + 1, 0, 50));
    expect(Math.max(...barsOf(many, span, slot).map((bar) => bar.lane))).toBe(3);
  });

  test('what is too short to be told apart is put together with what came of each', () => {
    const short = [0, 0.2, 0.4].map((from, n) => experiment(n + 1, from, from + 0.1, n === 2 ? 'failed' : 'success'));
    const [bar, ...more] = barsOf(short, span, slot);
    expect(more).toEqual([]);
    expect(bar?.numbers).toEqual([1, 2, 3]);
    expect(bar && mainState(bar)).toBe('success');
    expect(bar && statesInWords(bar.states)).toBe('2 success, 1 failed');
  });

  test('takes the newest tasks that ran within it', () => {
    const tasks = [
      task({ id: 'never' }),
      task({ id: 'before', started_at: at(-50), ended_at: at(-40) }),
      task({ id: 'across', started_at: at(-50), ended_at: at(10) }),
      task({ id: 'runs', started_at: at(20) }),
    ];
    expect(tasksWithin(tasks, span, 9).map((one) => one.id)).toEqual(['runs', 'across']);
    expect(tasksWithin(tasks, span, 1)).toHaveLength(1);
  });

  test('has a table and an axis', () => {
    const table = dayTable([
      { task: task({ name: 'a' }), experiments: [experiment(1, 0, 2), experiment(2, 3, null, 'open')] },
    ]);
    expect(table.rows.map((row) => row[4])).toEqual([120, null]);
    expect(ticks(24).map((tick) => tick.label)).toEqual([
      '24 h ago',
      '20 h ago',
      '16 h ago',
      '12 h ago',
      '8 h ago',
      '4 h ago',
    ]);
    expect(ticks(1)[1]).toEqual({ share: 0.25, label: '45 min ago' });
  });
});

describe('the last days', () => {
  test('count experiments by the day their task began, empty days too', () => {
    const noon = new Date(2026, 10, 28, 12).getTime();
    const day = (back: number) => new Date(2026, 10, 28 - back, 8).toISOString();
    const days = daysOf(
      [
        task({ started_at: day(0), experiments: { success: 3, failed: 1 } }),
        task({ started_at: day(0), experiments: { success: 2 } }),
        task({ started_at: day(2), experiments: { pruned: 4 } }),
        task({ started_at: day(9), experiments: { success: 100 } }),
        task({ experiments: {} }),
      ],
      noon,
      7,
    );
    expect(days.map((one) => [one.tasks, one.total])).toEqual([
      [2, 6],
      [0, 0],
      [1, 4],
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(days[0]?.counts).toEqual({ success: 5, failed: 1 });
    const table = daysTable(days, String);
    expect(table.columns).toHaveLength(2 + OUTCOMES.length);
    expect(table.rows[2]?.slice(1)).toEqual([1, 0, 0, 4, 0, 0, 0]);
  });
});

test('findings: what is ill first, engines that are not installed apart, nothing twice', () => {
  const check = (name: string, status: string, detail: string) => ({ name, status, detail });
  const found = findingsOf([
    check('disk', 'warning', '1 GiB free'),
    check('database', 'failed', 'no answer'),
    check('disk', 'warning', '1 GiB free for it'),
    check('engine', 'warning', 'vllm is not installed'),
    check('engine', 'good', 'llama.cpp 1'),
    check('engine', 'failed', 'sglang: python has no module sglang'),
  ]);
  expect(found.ill.map((one) => one.name)).toEqual(['database', 'engine', 'disk']);
  expect(found.missing).toEqual(['vllm']);
  expect(found.good).toBe(1);
});

test('readings of GPUs are kept by GPU, once each, and not for ever', () => {
  const gpu = (uuid: string, use: number | null) =>
    ({ uuid, utilization_percent: use, memory_total_mib: 100, memory_used_mib: 25 }) as Gpu;
  let history = withReading(new Map(), [gpu('a', 5), gpu('b', null)], 1);
  history = withReading(history, [gpu('a', 9)], 1);
  expect(history.get('a')).toEqual([{ at: 1, utilization: 5, memory: 0.25 }]);
  expect(history.get('b')?.[0]?.utilization).toBeNull();
  for (let n = 2; n < KEPT + 20; n++) history = withReading(history, [gpu('a', n)], n);
  expect(history.get('a')).toHaveLength(KEPT);
});

test('a small curve has gaps where nothing is known, and ends at the right', () => {
  expect(segments([0, 100, null, 50], 100, 4)).toEqual(['0.0,23.0 40.0,1.0', '120.0,12.0']);
  expect(segments([], 100, 4)).toEqual([]);
});

test('the example gets a name that is free', () => {
  expect(freeName('example', [])).toBe('example');
  expect(freeName('example', ['example', 'example-2', 'other'])).toBe('example-3');
});
