import { describe, expect, test } from 'vitest';
import { move, renameKey } from './arrange';
import { insertAt, removeIn, setIn } from './edit';
import { parse } from './read';
import { Typed, writeDocument } from './write';

const TASK = `# what we serve
name: chat   # the name

model: {id: org/name}
engine:
  name: vllm
  fixed: {dtype: auto, block-size: 16}
search_space:
  parameters:
    # sequences
    max-num-seqs: [32, 64, 128]     # ordered
    gpu-memory-utilization: {low: 0.8, high: 1.0}
    mode:
      - a
      - 'b'   # quoted
load:
  levels:
    - concurrency: 1
    - {rate: 2.5}
`;

const keeps = (text: string) => {
  for (const line of ['# what we serve', '   # the name', '    # sequences']) expect(text).toContain(line);
};

describe('edits of a text', () => {
  test.each<[what: string, path: (string | number)[], value: unknown, line: string]>([
    ['a scalar', ['name'], 'mine', 'name: mine   # the name'],
    ['a scalar in braces', ['model', 'id'], 'a, b', 'model: {id: "a, b"}'],
    ['a new key in braces', ['model', 'tokenizer'], '/x', 'model: {id: org/name, tokenizer: /x}'],
    ['a new key of a block', ['engine', 'version'], '1.0', '  version: "1.0"'],
    [
      'a number as typed',
      ['search_space', 'parameters', 'gpu-memory-utilization', 'low'],
      new Typed('0.0', 0),
      '{low: 0.0, high: 1.0}',
    ],
    ['an item', ['search_space', 'parameters', 'max-num-seqs', 1], 48, '[32, 48, 128]     # ordered'],
    ['an item of a block list', ['search_space', 'parameters', 'mode', 1], 'c', '      - c   # quoted'],
    ['text that looks like a number', ['engine', 'fixed', 'dtype'], '16', 'dtype: "16"'],
    ['text with a number in it', ['engine', 'fixed', 'dtype'], '4bit', 'dtype: 4bit'],
    ['something deep that is new', ['budget', 'experiments'], 5, 'budget: {experiments: 5}'],
  ])('set %s and leave the rest', (_, path, value, line) => {
    const next = setIn(TASK, path, value);
    expect(next).toContain(line);
    keeps(next);
    const old = TASK.split('\n');
    const changed = next.split('\n').filter((one) => !old.includes(one));
    expect(changed.length, next).toBeLessThanOrEqual(1);
  });

  test('a new key stands where the order has it', () => {
    const order = () => ['name', 'description', 'model', 'engine'];
    expect(setIn(TASK, ['description'], 'x', { order })).toContain('name: chat   # the name\ndescription: x\n');
    expect(setIn('engine: {}\n', ['name'], 'x', { order })).toBe('name: x\nengine: {}\n');
  });

  test('an empty text, an empty value and a missing end of line are no trouble', () => {
    expect(setIn('', ['engine', 'name'], 'vllm')).toBe('engine: {name: vllm}\n');
    expect(setIn('# only words\n', ['name'], 'x')).toBe('# only words\nname: x\n');
    expect(setIn('engine:\nname: x', ['engine', 'name'], 'vllm')).toBe('engine: {name: vllm}\nname: x');
    expect(setIn('name: x', ['description'], 'y')).toBe('name: x\ndescription: y\n');
    expect(setIn('name: [', ['description'], 'y'), 'what cannot be read is left alone').toBe('name: [');
  });

  test('items come and go one by one', () => {
    const levels = ['load', 'levels'];
    const more = insertAt(TASK, levels, 2, { burst: 5, every_s: 10 });
    expect(more).toContain('    - {rate: 2.5}\n    - {burst: 5, every_s: 10}\n');
    expect(insertAt(TASK, levels, 0, { concurrency: 2 })).toContain(
      '  levels:\n    - {concurrency: 2}\n    - concurrency: 1\n',
    );
    expect(removeIn(more, [...levels, 1])).toBe(TASK.replace('{rate: 2.5}', '{burst: 5, every_s: 10}'));
    expect(removeIn(TASK, ['search_space', 'parameters', 'max-num-seqs', 2])).toContain('[32, 64]     # ordered');
    expect(removeIn(TASK, ['search_space', 'parameters', 'max-num-seqs', 0])).toContain('[64, 128]     # ordered');
    expect(insertAt(TASK, ['slos'], 0, { metric: 'ttft', max_ms: 5 })).toContain('slos: [{metric: ttft, max_ms: 5}]\n');
  });

  test('what is empty goes too, unless it is required', () => {
    expect(removeIn('engine: {name: x}\nload: {requests: 5}\n', ['load', 'requests'])).toBe('engine: {name: x}\n');
    const required = (path: readonly (string | number)[]) => path[0] === 'engine';
    expect(removeIn('engine: {name: x}\n', ['engine', 'name'], { required })).toBe('engine: {}\n');
    const one = removeIn(TASK, ['search_space', 'parameters', 'mode']);
    expect(one).not.toContain('quoted');
    expect(one).toContain('high: 1.0}\nload:');
  });

  test('keys are renamed and moved with their comments', () => {
    const path = ['search_space', 'parameters', 'max-num-seqs'];
    expect(renameKey(TASK, path, 'seqs')).toBe(TASK.replace('max-num-seqs:', 'seqs:'));
    expect(renameKey(TASK, path, 'mode'), 'a name that is taken is refused').toBe(TASK);
    const down = move(TASK, path, 1);
    expect(Object.keys((parse(down).value.search_space as { parameters: object }).parameters)).toEqual([
      'gpu-memory-utilization',
      'max-num-seqs',
      'mode',
    ]);
    keeps(down);
    expect(move(TASK, ['load', 'levels', 1], -1)).toContain('    - {rate: 2.5}\n    - concurrency: 1\n');
    expect(move('a: {x: 1, y: [2]}\n', ['a', 'y'], -1)).toBe('a: {y: [2], x: 1}\n');
  });

  test('JSON stays JSON', () => {
    const text = JSON.stringify({ name: 'x', engine: { name: 'vllm' }, search_space: {} }, null, 2);
    let next = setIn(text, ['engine', 'version'], '0.1');
    next = setIn(next, ['search_space', 'parameters'], { a: [1, 'b'] });
    next = setIn(next, ['name'], 'it is "y"');
    next = removeIn(next, ['engine', 'name']);
    expect(JSON.parse(next)).toEqual({
      name: 'it is "y"',
      engine: { version: '0.1' },
      search_space: { parameters: { a: [1, 'b'] } },
    });
  });

  test('anchors are honoured by writing anew', () => {
    const text = 'a: &x {n: 1}\nb: *x\n';
    expect(parse(setIn(text, ['b', 'n'], 2)).value).toEqual({ a: { n: 1 }, b: { n: 2 } });
  });

  test('a document is written in the style of our files', () => {
    const value = {
      name: 'x',
      load: { levels: [{ concurrency: 1 }], requests: new Typed('5', 5) },
      slos: [],
      note: 'a\nb',
    };
    const text = writeDocument(value);
    expect(text).toBe('name: x\nload:\n  levels: [{concurrency: 1}]\n  requests: 5\nslos: []\nnote: |-\n  a\n  b\n');
  });
});
