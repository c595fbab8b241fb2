import { expect, test } from 'vitest';
import { appended, begin, MOST_LINES, prepended, shownLines } from './logBuffer';

test('a log that is read in pieces is the log, wherever they are cut', () => {
  const text = 'first\nsecond ü\n\nfourth\r\nlast';
  const bytes = new TextEncoder().encode(text);
  const piece = (from: number, to: number) => ({
    offset: from,
    next: to,
    text: new TextDecoder().decode(bytes.slice(from, to)),
  });
  for (const cut of [1, 5, 6, 12, 15, 16, 17, 23]) {
    for (const end of [24, 26, bytes.length]) {
      const after = appended(begin(piece(cut, end)), piece(end, bytes.length));
      const whole = prepended(after, piece(0, cut));
      expect(shownLines(whole)).toEqual(['first', 'second ü', '', 'fourth', 'last']);
      expect([whole.offset, whole.next]).toEqual([0, bytes.length]);
    }
  }
});

test('what was there already is not taken twice', () => {
  const buffer = begin({ offset: 10, next: 20, text: 'abc\ndef\n' });
  expect(appended(buffer, { offset: 10, next: 15, text: 'abc\n' })).toBe(buffer);
  expect(prepended(buffer, { offset: 0, next: 5, text: 'x' })).toBe(buffer);
});

test('a gap begins anew', () => {
  const buffer = begin({ offset: 0, next: 4, text: 'abc\n' });
  expect(appended(buffer, { offset: 100, next: 104, text: 'xyz\n' }).offset).toBe(100);
});

test('the oldest lines go when there are too many, and the place of the rest is known', () => {
  const many = 'line\n'.repeat(MOST_LINES);
  const buffer = begin({ offset: 0, next: many.length, text: many });
  const more = appended(buffer, { offset: many.length, next: many.length + 10, text: 'abcd\nefgh\n' });
  expect(more.isCut).toBe(true);
  expect(more.lines.length).toBe(MOST_LINES);
  expect(more.offset).toBe(15);
  expect(shownLines(more).at(-1)).toBe('efgh');
});
