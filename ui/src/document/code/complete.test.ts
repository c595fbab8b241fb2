import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { EngineParameter } from '@/api/engines';
import type { Schema } from '../schema';
import { hoverAt, type Knowledge, optionsAt } from './complete';

const schema = JSON.parse(
  readFileSync(new URL('../../../../docs/reference/task.schema.json', import.meta.url), 'utf8'),
) as Schema;
const catalogue = [
  { name: 'kv-cache-dtype', kind: 'choice', values: ['auto', 'fp8'], help: 'Type of the cache', group: '' },
  { name: 'max-num-seqs', kind: 'int', help: 'Most sequences', group: '', default: '256', tunable: [64, 128] },
] as EngineParameter[];
const known: Knowledge = { schema, catalogue, presets: ['vllm-performance'] };

/** Labels offered at `|`. */
function labels(text: string): string[] {
  const offset = text.indexOf('|');
  return optionsAt(text.replace('|', ''), offset, known)?.options.map((option) => option.label) ?? [];
}

describe('completion', () => {
  test.each<[where: string, text: string, some: string[], not: string[]]>([
    ['at the top', 'name: x\n|', ['engine', 'search_space'], ['name', 'levels']],
    ['within a word', 'name: x\nbud|', ['budget'], ['name']],
    ['in a block', 'engine:\n  name: vllm\n  |', ['fixed', 'version'], ['name', 'budget']],
    ['in braces', 'engine: {name: vllm, |}', ['fixed', 'version'], ['name']],
    ['a value', 'engine:\n  name: |\n', ['sglang', 'vllm'], ['fixed']],
    ['a value in braces', 'backend: {kind: |}', ['local', 'virtual'], []],
    ['fields of one kind', 'backend:\n  kind: attached\n  |', ['url'], ['image', 'namespace']],
    ['an item of a list', 'objectives:\n  - |', ['maximize_goodput'], []],
    ['an item in brackets', 'objectives: [|]', ['maximize_goodput'], []],
    ['fields of an item', 'slos:\n  - |', ['metric', 'stat'], []],
    ['fields of the second item', 'slos:\n  - {metric: ttft, max_ms: 5}\n  - {|}', ['metric', 'max_ms'], []],
    ['a flag', 'search_space:\n  parameters:\n    |', ['max-num-seqs', 'kv-cache-dtype'], ['constraints']],
    ['values of a flag', 'search_space:\n  parameters:\n    kv-cache-dtype: [|]', ['auto', 'fp8'], []],
    ['values worth trying', 'search_space:\n  parameters:\n    max-num-seqs: |', ['[64, 128]', 'bool'], []],
    ['a switch', 'load:\n  stop_when_losing: |', ['true', 'false'], []],
    ['presets', 'search_space:\n  presets: [|]', ['vllm-performance'], []],
    ['nothing in a comment', 'name: x # |', [], ['engine']],
  ])('%s', (_, text, some, not) => {
    const found = labels(text);
    for (const label of some) expect(found).toContain(label);
    for (const label of not) expect(found).not.toContain(label);
  });
});

test('help stands where the pointer is', () => {
  const text = 'engine:\n  name: vllm\nsearch_space:\n  parameters:\n    max-num-seqs: [1]\nbudget: {experiments: 5}\n';
  expect(hoverAt(text, text.indexOf('vllm') + 1, known)?.help).toBe('vLLM, `vllm serve`.');
  expect(hoverAt(text, text.indexOf('max-num') + 1, known)).toEqual({
    title: 'max-num-seqs',
    help: 'Most sequences',
    more: ['default 256', 'worth tuning: [64, 128]'],
  });
  expect(hoverAt(text, text.indexOf('experiments') + 1, known)?.more).toEqual(['default 20', '1 to 100000']);
  expect(hoverAt('name: [', 1, known)?.title, 'also in a broken text').toBe('name');
});
