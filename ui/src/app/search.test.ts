import { expect, test } from 'vitest';
import * as s from './search';

test('numbers are few words, there and back', () => {
  expect(s.ranges([7, 1, 2, 3, 3])).toBe('1-3,7');
  expect(s.numbers({ sel: '1-3,7' }, 'sel')).toEqual([1, 2, 3, 7]);
  expect(s.numbers({ sel: 'x,9-8,4' }, 'sel')).toEqual([4]);
  expect(s.numbers({ sel: '' }, 'sel')).toBeUndefined();
  expect(s.numbers({ sel: '1-9999999' }, 'sel')?.length).toBeLessThanOrEqual(20_000);
});

test('an address is read as it was written', () => {
  const search = {
    q: 'a b&c',
    status: ['running', 'failed'],
    sel: [1, 2, 3, 9],
    all: true,
    none: undefined,
    off: false,
  };
  const text = s.stringifySearch(search);
  expect(text).toBe('?q=a+b%26c&status=running,failed&sel=1-3,9&all=1');
  const raw = s.parseSearch(text);
  expect(s.text(raw, 'q')).toBe('a b&c');
  expect(s.list(raw, 'status')).toEqual(['running', 'failed']);
  expect(s.someOf(raw, 'status', ['failed', 'pending'])).toEqual(['failed']);
  expect(s.numbers(raw, 'sel')).toEqual([1, 2, 3, 9]);
  expect(s.flag(raw, 'all')).toBe(true);
  expect(s.oneOf(raw, 'q', ['x'])).toBeUndefined();
  expect(s.integer({ attempt: '2' }, 'attempt')).toBe(2);
  expect(s.integer({}, 'attempt')).toBeUndefined();
});
