import { expect, test } from 'vitest';
import type { Schema } from '@/document/schema';
import { readArguments } from './edited';

/** As the server gives it for `show_chart`. */
const schema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['task_id', 'kind'],
  properties: {
    task_id: { type: 'string' },
    kind: { $ref: '#/$defs/ChartKind' },
    experiments: { type: ['array', 'null'], items: { type: 'integer', format: 'uint32', minimum: 0 } },
  },
  $defs: {
    ChartKind: {
      oneOf: [
        { type: 'string', const: 'history' },
        { type: 'string', const: 'pareto' },
      ],
    },
  },
};

test('arguments may be YAML or JSON', () => {
  const value = { task_id: 'chat', kind: 'history', experiments: [1, 2] };
  expect(readArguments('task_id: chat\nkind: history\nexperiments: [1, 2]\n', schema)).toEqual({ value, problems: [] });
  expect(readArguments(JSON.stringify(value), schema)).toEqual({ value, problems: [] });
});

test.each<[what: string, text: string, line: number]>([
  ['a word that is none', 'task_id: chat\nkind: pie', 2],
  ['a field that is none', 'task_id: chat\nkind: history\ncolour: red', 3],
  ['a field that is missing', 'kind: history', 1],
  ['a value of another kind', 'task_id: chat\nkind: history\nexperiments: [a]', 3],
  ['no YAML', 'task_id: [', 1],
  ['no map', '- 1', 1],
])('%s is said with its line', (_, text, line) => {
  const { problems } = readArguments(text, schema);
  expect(problems).not.toEqual([]);
  expect(problems[0]).toMatch(new RegExp(`^Line ${line}:`));
});
