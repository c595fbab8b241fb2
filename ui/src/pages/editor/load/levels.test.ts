import { expect, test } from 'vitest';
import { LEVEL_KINDS, levelAs, levelKind, sweepOf } from './levels';

test.each(LEVEL_KINDS)('a level made as %s is known as that', (kind) => {
  expect(levelKind(levelAs({ concurrency: 4, rate: 2 }, kind))).toBe(kind);
});

test('a sweep is numbers, or doubles from one to another', () => {
  expect(sweepOf('1, 4 16')).toEqual([1, 4, 16]);
  expect(sweepOf('1..64')).toEqual([1, 2, 4, 8, 16, 32, 64]);
  expect(sweepOf('0.5')).toEqual([0.5]);
  expect(sweepOf('a')).toEqual([]);
  expect(sweepOf('')).toEqual([]);
});
