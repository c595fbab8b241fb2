import { expect, test } from 'vitest';
import { shownValue, typedValue, typedValues } from './values';
import { Typed } from './write';

// W67: "4bit" became 4, and values were cut at their commas.
test.each([
  ['4bit', '4bit'],
  ['"4"', '4'],
  ["'it''s'", "it's"],
  ['a,b', 'a,b'],
  ['{"a": [1, 2]}', '{"a": [1, 2]}'],
  ['true', true],
  ['null', null],
  ['True', 'True'],
  ['0x10', '0x10'],
  ['1_000', '1_000'],
  ['', ''],
])('%s is read as %j', (text, value) => {
  expect(typedValue(text)).toEqual(value);
});

test('numbers keep their digits', () => {
  expect(typedValue('1.0')).toEqual(new Typed('1.0', 1));
  expect(typedValue('.5')).toEqual(new Typed('0.5', 0.5));
  expect(typedValue('-3')).toEqual(new Typed('-3', -3));
  expect(typedValue('1e-3')).toEqual(new Typed('1e-3', 0.001));
});

test('several values at once, where nobody can be misunderstood', () => {
  expect(typedValues('1, 2,4')).toHaveLength(3);
  expect(typedValues('a, b')).toEqual(['a, b']);
  expect(typedValues('fp8\n"4"\nnull')).toEqual(['fp8', '4', null]);
});

test('what is shown reads back as the same', () => {
  for (const value of ['4bit', '4', 'true', 'null', '', 'a,b', '"q"', null, true, false, 'x y ']) {
    const text = shownValue(value);
    if (value !== '' && value !== 'x y ') expect(typedValue(text), text).toEqual(value);
  }
});
