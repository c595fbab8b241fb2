import { expect, test } from 'vitest';
import { actionsOf, type Entry, matches, outcomeClass } from './filter';

const entry = (part: Partial<Entry>): Entry => ({
  seq: 1,
  began_at: '2026-11-28T12:00:00Z',
  actor: 'operator laptop',
  peer: '10.0.0.7',
  action: 'task.start',
  target: '/api/tasks/a/start',
  request_id: 'r1',
  outcome: 'done',
  ...part,
});

test('entries are found by words, action and kind of end', () => {
  expect(matches(entry({}), {})).toBe(true);
  expect(matches(entry({}), { q: 'LAPTOP 10.0' })).toBe(true);
  expect(matches(entry({}), { q: 'laptop elsewhere' })).toBe(false);
  expect(matches(entry({}), { action: 'task.cancel' })).toBe(false);
  expect(matches(entry({ outcome: 'not_found' }), { outcome: ['other'] })).toBe(true);
  expect(matches(entry({ outcome: 'begun' }), { outcome: ['done', 'refused'] })).toBe(false);
});

test('codes of errors are one kind, and actions are counted', () => {
  expect(['done', 'refused', 'begun', 'failed', 'conflict'].map(outcomeClass)).toEqual([
    'done',
    'refused',
    'begun',
    'failed',
    'other',
  ]);
  expect(actionsOf([entry({ action: 'b' }), entry({ action: 'a' }), entry({ action: 'b' })])).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});
