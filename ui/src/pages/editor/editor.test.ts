import { expect, test } from 'vitest';
import { parse } from '@/document/read';
import { stepOf, stepOfFinding, stepStates } from './steps';
import { EMPTY, SIMULATED } from './template';
import { documentOf } from './translate';

test('each field has its step', () => {
  expect(stepOf('search_space.parameters.a')).toBe('space');
  expect(stepOf('search_space.presets[0]')).toBe('presets');
  expect(stepOf('engine.fixed.dtype')).toBe('space');
  expect(stepOf('engine.version')).toBe('basics');
  expect(stepOf('slos[1].max_ms')).toBe('goals');
  expect(stepOf('modl')).toBe('review');
  const missing = {
    severity: 'error',
    line: 1,
    column: 1,
    length: 1,
    field: '',
    message: '`model` is missing',
  } as const;
  expect(stepOfFinding(missing)).toBe('basics');
  expect(stepStates([missing]).basics).toEqual({ errors: 1, notes: 0 });
});

test('a translated task keeps real numbers real', () => {
  const raw = `{"task":{"name":"x","search_space":{"parameters":{"a":{"low":0.0,"high":1.0},"b":[1,2],"c":["4",null]}},
    "slos":[{"metric":"ttft","max_ms":1000.0}],"extra":null}}`;
  expect(documentOf(raw, 'task', ['extra'])).toBe(
    'name: x\nsearch_space:\n  parameters:\n    a: {low: 0.0, high: 1.0}\n    b: [1, 2]\n    c: ["4", null]\nslos: [{metric: ttft, max_ms: 1000}]\n',
  );
});

test('what a new task begins with can be read', () => {
  for (const text of [EMPTY, SIMULATED]) expect(parse(text).problem).toBeNull();
});
