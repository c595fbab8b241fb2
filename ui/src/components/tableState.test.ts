import { expect, test } from 'vitest';
import { readSort, sorted, sortWord } from './tableState';

const columns = [{ id: 'v', label: '', cell: () => null, sort: (row: { v: number | string | null }) => row.v }];
const rows = [{ v: 3 }, { v: null }, { v: 1 }, { v: 2 }];
const values = (list: readonly { v: unknown }[]) => list.map((row) => row.v);

test('rows are sorted either way, and absent values come last both times', () => {
  expect(values(sorted(rows, columns, { id: 'v' }))).toEqual([1, 2, 3, null]);
  expect(values(sorted(rows, columns, { id: 'v', descending: true }))).toEqual([3, 2, 1, null]);
  expect(sorted(rows, columns, undefined)).toBe(rows);
});

test('words with numbers are sorted as people do, and pinned rows stay on top', () => {
  const words = [{ v: 'c8' }, { v: 'c48' }, { v: 'c1' }];
  expect(values(sorted(words, columns, { id: 'v' }))).toEqual(['c1', 'c8', 'c48']);
  expect(values(sorted(words, columns, { id: 'v' }, (row) => row.v === 'c48'))).toEqual(['c48', 'c1', 'c8']);
});

test('a sort is a word of the address', () => {
  expect(readSort(sortWord({ id: 'a', descending: true }))).toEqual({ id: 'a', descending: true });
  expect(readSort('a')).toEqual({ id: 'a' });
  expect(readSort(undefined)).toBeUndefined();
});
