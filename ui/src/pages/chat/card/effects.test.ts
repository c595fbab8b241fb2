import { expect, test } from 'vitest';
import { foretold, taskOf } from './effects';

const span = { least: 0, typical: null, most: 60 };
const estimate = { search_experiments: 6, verification_experiments: 8, wall_time_s: span, basis: 'guess' };

test('a restart tells what it interrupts', () => {
  const would = JSON.parse(
    '{"worker":"w","pid":7,"host":"h","interrupts":[{"kind":"run_task","task":"chat"}],"then":"goes on"}',
  );
  expect(foretold(would)).toEqual({
    interrupts: { worker: { worker: 'w', pid: 7, host: 'h' }, jobs: would.interrupts, after: 'goes on' },
  });
});

test('a new task tells whether it is valid, and what it would cost', () => {
  const check = { valid: true, findings: [], remarks: [] };
  expect(foretold({ check, cost: { estimate } })).toEqual({ valid: true, estimate });
  const wrong = { valid: false, findings: [{ severity: 'error', line: 1, message: 'no' }], remarks: [] };
  expect(foretold({ check: wrong, cost: null })).toEqual({ valid: false, findings: wrong.findings });
});

test('a start tells what it would cost', () => {
  expect(foretold({ estimate })).toEqual({ estimate });
});

test('an edit tells the document before and after, a field its name', () => {
  expect(foretold({ before: 'a: 1', after: 'a: 2', findings: [] })).toEqual({
    change: { before: 'a: 1', after: 'a: 2' },
  });
  expect(foretold({ field: 'seed', before: 1, after: 2 })).toEqual({ change: { field: 'seed', before: 1, after: 2 } });
});

test('a deletion tells what is lost', () => {
  const experiments = { 'id-of-the-task': { success: 11, pruned: 1 } };
  expect(foretold({ task: 'chat', status: 'completed', experiments }).task).toEqual({
    name: 'chat',
    status: 'completed',
    experiments: [
      ['success', 11],
      ['pruned', 1],
    ],
  });
});

test('what is not known is kept as it is', () => {
  expect(foretold({ files: 3, at_most_bytes: 100 })).toEqual({ rest: { files: 3, at_most_bytes: 100 } });
  expect(foretold('text')).toEqual({ other: 'text' });
  expect(foretold(undefined)).toEqual({});
});

test('the task of a call', () => {
  expect(taskOf({ task_id: 'chat' })).toBe('chat');
  expect(taskOf({ table_name: 'tasks', record_id: 'chat' })).toBe('chat');
  expect(taskOf({ record_id: 'chat' })).toBeUndefined();
  expect(taskOf('{')).toBeUndefined();
});
