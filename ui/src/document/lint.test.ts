import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lint } from './lint';
import { parse } from './read';
import { orderAt, propertiesAt, type Schema, schemaAt } from './schema';

const schema = JSON.parse(
  readFileSync(new URL('../../../docs/reference/task.schema.json', import.meta.url), 'utf8'),
) as Schema;
const examples = new URL('../../../examples/', import.meta.url);

test.each(['simulated', 'vllm-chat', 'sglang-goodput', 'simulated-conversations', 'quickstart-llama-cpp'])(
  'the schema finds nothing wrong with the example %s',
  (name) => {
    expect(lint(parse(readFileSync(new URL(`${name}.yaml`, examples), 'utf8')), schema)).toEqual([]);
  },
);

test('unknown, missing and wrong things are said with their places', () => {
  const text = 'name: x\nmodl: {}\nengine: {name: vlm, gpus: -1}\nload:\n  levels: 5\nbackend: {kind: local, url: x}\n';
  const found = lint(parse(text), schema).map(({ line, column, length, field, message, allowed }) => {
    return [line, column, length, field, message, allowed?.slice(0, 20)];
  });
  expect(found).toEqual([
    [1, 1, 7, '', 'model is missing', undefined],
    [1, 1, 7, '', 'search_space is missing', undefined],
    [2, 1, 8, 'modl', 'There is no field modl', 'name, description, m'],
    [3, 10, 9, 'engine.name', 'vlm is not one of the words that may stand here', 'sglang, vllm, tensor'],
    [3, 21, 8, 'engine.gpus', '-1 is out of range', '0 to 1024'],
    [5, 3, 9, 'load.levels', 'Expected: a list', undefined],
    [6, 24, 6, 'backend.url', 'There is no field url', 'kind'],
  ]);
});

test('an unreadable text is one finding where it breaks', () => {
  expect(lint(parse('name: [\nx: 1'), schema)).toMatchObject([{ severity: 'error', line: 2 }]);
});

test('places of the schema', () => {
  expect(schemaAt(schema, ['budget', 'experiments'])?.default).toBe(20);
  expect(schemaAt(schema, ['search_space', 'parameters', 'x', 'log'])?.type).toBe('boolean');
  expect(schemaAt(schema, ['load', 'levels', 0, 'think_s', 'mean_s'])?.maximum).toBe(86400);
  expect([...propertiesAt(schema, ['backend'], { backend: { kind: 'attached' } }).keys()]).toEqual([
    'kind',
    'url',
    'api_key_env',
  ]);
  expect(orderAt(schema, [])?.slice(0, 3)).toEqual(['name', 'description', 'model']);
});
