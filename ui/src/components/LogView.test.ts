import { expect, test } from 'vitest';
import { matchesOf } from './LogView';

test('a log is searched in whatever case, and for nothing nothing is found', () => {
  const lines = ['Loading weights', 'KV cache: 4 GiB', 'out of MEMORY', 'loading done'];
  expect(matchesOf(lines, 'loading')).toEqual([0, 3]);
  expect(matchesOf(lines, 'Memory')).toEqual([2]);
  expect(matchesOf(lines, '')).toEqual([]);
  expect(matchesOf(lines, 'absent')).toEqual([]);
});
