import { expect, test } from 'vitest';
import type { JobItem, TaskDetail } from '@/api/types';
import { allowed, ended, queuedTasks, remainingOf, total } from './counts';

test('what may be done follows how a task stands', () => {
  const may = (status: 'pending' | 'running' | 'completed' | 'cancelled', isQueued = false, isArchived = false) =>
    [...allowed({ status, isQueued, isArchived })].sort();
  expect(may('pending')).toEqual(['archive', 'edit', 'remove', 'start']);
  expect(may('pending', true)).toEqual(['cancel']);
  expect(may('running')).toEqual(['cancel']);
  expect(may('completed')).toEqual(['archive', 'edit', 'remove']);
  expect(may('cancelled', false, true)).toEqual(['edit', 'remove', 'resume', 'unarchive']);
});

test('what is left of the budget does not count verification', () => {
  const task = { status: 'running', task: { budget: { experiments: 5 } } } as TaskDetail;
  const items = [{ role: { kind: 'baseline' } }, { role: { kind: 'search' } }, { role: { kind: 'verify' } }] as never;
  expect(remainingOf(task, items, {})).toBe(3);
  expect(remainingOf(task, undefined, { success: 4 })).toBe(1);
  expect(remainingOf({ ...task, status: 'completed' }, items, {})).toBe(0);
  expect(remainingOf(undefined, items, {})).toBe(0);
});

test('counts', () => {
  expect([total({ open: 1, success: 3 }), ended({ open: 1, success: 3 })]).toEqual([4, 3]);
  const jobs = [{ status: 'queued', task: 'a' }, { status: 'running', task: 'b' }, { status: 'queued' }] as JobItem[];
  expect([...queuedTasks(jobs)]).toEqual(['a']);
});
