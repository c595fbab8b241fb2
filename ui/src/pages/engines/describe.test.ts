import { describe, expect, test } from 'vitest';
import type { EngineParameter } from '@/api/engines';
import { filtered, rangeWords, specWords, typeWords } from './describe';

const parameters: EngineParameter[] = [
  {
    name: 'mem-fraction-static',
    kind: 'float',
    help: 'Memory share',
    group: 'a',
    tunable: { low: 0.7, high: 0.92, step: 0.02 },
  },
  { name: 'kv-cache-dtype', kind: 'choice', values: ['auto', 'fp8'], help: 'Data type', group: 'a' },
  { name: 'threads', aliases: ['t'], kind: 'int', words: ['max'], help: 'CPU threads', group: 'b', many: true },
  { name: 'flash-attn', kind: 'switch', form: 'present', help: 'Attention', group: 'b', tunable: 'bool' },
];

describe('parameters in words', () => {
  test('types and values', () => {
    expect(parameters.map(typeWords)).toEqual(['number', 'choice', 'list of whole number', 'switch']);
    expect(parameters.map(rangeWords)).toEqual(['0.7 to 0.92, step 0.02', 'auto, fp8', 'or max', 'on, off']);
    expect(specWords({ low: 1, high: 64, log: true, when: 'x == 1' })).toBe('1 to 64, logarithmic, when x == 1');
    expect(specWords([1, 'a', true, null])).toBe('1, a, true, unset');
  });

  test('are found by any spelling, by help, group and worth', () => {
    const names = (wanted: Parameters<typeof filtered>[1]) => filtered(parameters, wanted).map((one) => one.name);
    expect(names({ q: '--kv_cache' })).toEqual(['kv-cache-dtype']);
    expect(names({ q: 'memory' })).toEqual(['mem-fraction-static']);
    expect(names({ group: 'b', tunable: true })).toEqual(['flash-attn']);
    expect(names({})).toHaveLength(4);
  });
});
