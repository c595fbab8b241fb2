import { expect, test } from 'vitest';
import { diffLines } from './diff';

const shown = (before: string, after: string, around?: number) =>
  diffLines(before, after, around).map(({ kind, text, count }) =>
    kind === 'gap' ? `… ${count}` : `${{ same: ' ', added: '+', removed: '-' }[kind]}${text}`,
  );

test('shows what went, what came, and some lines around', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\n';
  expect(shown(before, before.replace('d', 'D'), 1)).toEqual(['… 2', ' c', '-d', '+D', ' e', '… 2']);
});

test('lines that moved apart are found again', () => {
  expect(shown('a\nb\nc', 'x\na\nc\ny')).toEqual(['+x', ' a', '-b', ' c', '+y']);
});

test('the same text has no difference', () => {
  expect(shown('a\nb', 'a\nb\n')).toEqual(['… 2']);
  expect(shown('', 'a')).toEqual(['-', '+a']);
});
