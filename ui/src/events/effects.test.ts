import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from '@/api/keys';
import type { ExperimentItem } from '@/api/types';
import { Effects } from './effects';
import type { ServerEvent } from './types';

let client: QueryClient;
let effects: Effects;
let seq = 0;

beforeEach(() => {
  vi.useFakeTimers();
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  effects = new Effects(client);
});
afterEach(() => {
  effects.stop();
  vi.useRealTimers();
});

function event(about: object): ServerEvent {
  seq += 1;
  return { seq, at: '2026-11-28T10:00:00Z', ...about } as ServerEvent;
}

const isStale = (key: readonly unknown[]) => client.getQueryState(key)?.isInvalidated;

test('an experiment that ends is shown at once, and its list read again soon', async () => {
  const key = keys.experimentList('t1', ['number']);
  client.setQueryData<ExperimentItem[]>(key, []);
  effects.apply(
    event({ kind: 'experiment_created', task: 't1', experiment: 1, role: { kind: 'search' }, configuration: { a: 1 } }),
  );
  expect(client.getQueryData<ExperimentItem[]>(key)).toMatchObject([
    { number: 1, outcome: 'open', configuration: { a: 1 } },
  ]);
  const score = { class: 'feasible', objectives: [42] };
  const outcome = { kind: 'success', partial: false };
  effects.apply(event({ kind: 'experiment_ended', task: 't1', experiment: 1, outcome, score }));
  expect(client.getQueryData<ExperimentItem[]>(key)).toMatchObject([{ number: 1, outcome: 'success', objective: 42 }]);
  expect(isStale(key)).toBe(false);
  await vi.advanceTimersByTimeAsync(100);
  expect(isStale(key)).toBe(true);
});

test('an event that is told of an experiment twice changes nothing', () => {
  const key = keys.experimentList('t1', ['number']);
  client.setQueryData<ExperimentItem[]>(key, []);
  const created = {
    kind: 'experiment_created',
    task: 't1',
    experiment: 1,
    role: { kind: 'search' },
    configuration: {},
  };
  effects.apply(event(created));
  effects.apply(event(created));
  expect(client.getQueryData<ExperimentItem[]>(key)).toHaveLength(1);
});

test('a task is known by its id also where it was asked for by its name', async () => {
  client.setQueryData(keys.task('by-name'), { id: 't1' });
  client.setQueryData(keys.task('t2'), { id: 't2' });
  effects.apply(event({ kind: 'attempt_started', task: 't1', experiment: 1, attempt: 1, worker: 'w' }));
  await vi.advanceTimersByTimeAsync(100);
  expect(isStale(keys.task('by-name'))).toBe(true);
  expect(isStale(keys.task('t2'))).toBe(false);
});

test('many events lead to few requests, and the last is not lost', async () => {
  const forget = vi.spyOn(client, 'invalidateQueries');
  for (let n = 0; n < 100; n++) {
    effects.apply(event({ kind: 'job', job: 'j', change: 'progressed' }));
    await vi.advanceTimersByTimeAsync(20);
  }
  await vi.advanceTimersByTimeAsync(2000);
  const jobs = forget.mock.calls.filter(([filter]) => filter?.queryKey?.[0] === 'jobs');
  expect(jobs.length).toBeGreaterThanOrEqual(2);
  expect(jobs.length).toBeLessThanOrEqual(4);
});

test('events of one kind leave the rest alone', async () => {
  client.setQueryData(keys.presets, []);
  client.setQueryData(keys.datasets, []);
  effects.apply(event({ kind: 'shelf', item: 'preset', name: 'p', change: 'stored' }));
  await vi.advanceTimersByTimeAsync(100);
  expect(isStale(keys.presets)).toBe(true);
  expect(isStale(keys.datasets)).toBe(false);
});

test('an unknown kind is no trouble', () => {
  expect(() => effects.apply(event({ kind: 'something_of_tomorrow' }))).not.toThrow();
});
