import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Finding } from '@/api/error';
import { lint } from '@/document/lint';
import { parse } from '@/document/read';
import type { Schema } from '@/document/schema';
import {
  carrierTask,
  EMPTY_PRESET,
  exportFile,
  placeOfField,
  presetDocument,
  presetFindings,
  presetSchema,
} from './document';

const task = JSON.parse(
  readFileSync(new URL('../../../../docs/reference/task.schema.json', import.meta.url), 'utf8'),
) as Schema;
const schema = presetSchema(task);

test('the schema of presets knows its fields', () => {
  expect(lint(parse(EMPTY_PRESET), schema)).toEqual([]);
  const wrong = 'name: x\nengine: vlm\nparametrs: {}\nparameters: {a: {lo: 1}}\n';
  expect(lint(parse(wrong), schema).map(({ field }) => field)).toEqual(['engine', 'parametrs', 'parameters.a.lo']);
});

test('the server looks at the parameters within a task, and its findings come back to their places', () => {
  const text = 'name: x\nengine: vllm\nparameters:\n  a.b: {low: 5, high: 1}\nconstraints: ["zz > 1"]\n';
  const parsed = parse(text);
  expect(JSON.parse(carrierTask(parsed.value) ?? '').search_space.constraints).toEqual(['zz > 1']);
  expect(carrierTask({ parameters: { a: [1] } }), 'without an engine nothing can be said').toBeNull();
  const found = (field: string): Finding => ({ severity: 'error', line: 1, column: 1, length: 1, field, message: '' });
  const placed = presetFindings(
    [found('search_space.parameters.a.b.low'), found('search_space.constraints[0]'), found('model')],
    parsed,
  );
  expect(placed.map(({ line, column, length, field }) => [line, column, length, field])).toEqual([
    [4, 9, 6, 'parameters.a.b.low'],
    [5, 15, 8, 'constraints[0]'],
  ]);
  expect(placeOfField('a[1].b', {})).toEqual(['a', 1, 'b']);
});

// W68: what was kept was lost in an export.
test('a preset comes through edit and export whole', () => {
  const raw =
    '{"name":"x","category":"c","engine":"vllm","parameters":{"a":{"low":0.0,"high":1.0},"b":["4",null]},"metadata":{"k":[1]},"built_in":true}';
  const text = presetDocument(raw);
  expect(text).toContain('a: {low: 0.0, high: 1.0}');
  const file = parse(exportFile([text, text]));
  expect(file.value.presets).toEqual([parse(text).value, parse(text).value]);
  expect(parse(text).value.metadata).toEqual({ k: [1] });
  expect(text).not.toContain('built_in');
});
