import { describe, expect, test } from 'vitest';
import { bars, lengthsTable } from '@/plots/lengths';
import { isName, nameOf } from './names';

describe('names of data sets', () => {
  test('are made of file names as the service makes them', () => {
    expect(nameOf('trace.csv.gz')).toBe('trace.csv');
    expect(nameOf('my data (1).jsonl')).toBe('my-data--1-.jsonl');
    expect(nameOf('.hidden')).toBe('hidden');
    expect(nameOf('a.tar.gz')).toBe('a');
  });

  test('are checked', () => {
    expect(isName('chat_1.jsonl')).toBe(true);
    for (const bad of ['', '-x', 'a b', 'x'.repeat(101), 'ä']) expect(isName(bad)).toBe(false);
  });
});

test('the bars of a histogram meet', () => {
  const spread = {
    known: 3,
    unknown: 0,
    mean: 5,
    sd: 1,
    min: 2,
    p50: 4,
    p90: 8,
    p99: 9,
    max: 9,
    histogram: [
      [4, 2],
      [9, 1],
    ] as [number, number][],
  };
  expect(bars(spread)).toEqual([
    { from: 2, to: 4, count: 2 },
    { from: 5, to: 9, count: 1 },
  ]);
  expect(lengthsTable(spread, 'tokens').rows).toEqual([
    [2, 4, 2],
    [5, 9, 1],
  ]);
});
