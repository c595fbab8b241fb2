import { expect, test } from 'vitest';
import { blocks } from './blocks';

test.each<[what: string, text: string, parts: string[]]>([
  ['paragraphs', 'one\n\ntwo\nlines\n', ['one\n', 'two\nlines\n']],
  ['code with blank lines', '```py\na\n\nb\n```\n\nend', ['```py\na\n\nb\n```\n', 'end']],
  ['code that is being written', 'see\n\n```py\na\n\n# b', ['see\n', '```py\na\n\n# b']],
  ['a longer fence around a shorter one', '````\n```\n\nx\n````\n\ny', ['````\n```\n\nx\n````\n', 'y']],
  ['a list with blank lines', '- a\n\n- b\n\n  more\n\nend', ['- a\n\n- b\n\n  more\n', 'end']],
  ['a numbered list', '1. a\n\n2. b', ['1. a\n\n2. b']],
  ['a table', 'x\n\n| a |\n|---|\n| 1 |\n\ny', ['x\n', '| a |\n|---|\n| 1 |\n', 'y']],
  ['links that are defined below', '[a][1]\n\n[1]: /x', ['[a][1]\n\n[1]: /x']],
  ['nothing', '\n\n', []],
])('%s', (_, text, parts) => {
  expect(blocks(text)).toEqual(parts);
});

test('a text that grows keeps its earlier parts', () => {
  const text =
    '# Head\n\nSome *text* here.\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n\nmore\n```\n\nThe end.\n';
  let before: string[] = [];
  for (let at = 1; at <= text.length; at++) {
    const now = blocks(text.slice(0, at));
    for (const [index, part] of before.slice(0, -1).entries()) expect(now[index], `at ${at}`).toBe(part);
    before = now;
  }
});
