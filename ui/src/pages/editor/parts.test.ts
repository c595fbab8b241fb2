import { expect, test } from 'vitest';
import { parse } from '@/document/read';
import { applySuggestion } from '@/document/suggestion';
import { duration } from '@/format';
import { copyName } from './copyName';
import { combinations, spanText } from './Estimate';
import { carrier, isNothing, NOTHING } from './precision';
import { setSource, sourceOf } from './workload/source';

test('copies get the next free name', () => {
  expect(copyName('chat', [])).toBe('chat-2');
  expect(copyName('chat-2', ['chat', 'chat-2', 'chat-3'])).toBe('chat-4');
});

test('a suggestion takes the place of the word that was meant', () => {
  const finding = {
    severity: 'error',
    line: 2,
    column: 9,
    length: 3,
    field: '',
    message: '',
    suggestion: 'vllm',
  } as const;
  expect(applySuggestion('ü: 1\nengine: vlm # x\n', finding)).toBe('ü: 1\nengine: vllm # x\n');
});

test('estimates are bounds, and what is typical where that is known', () => {
  expect(spanText({ least: 60, typical: null, most: 3600 }, duration)).toBe('1 min 00 s … 1 h 00 min');
  expect(spanText({ least: 0, typical: null, most: 60 }, duration)).toBe('up to 1 min 00 s');
  expect(spanText({ least: 60, typical: 120, most: 3600 }, duration)).toContain('≈ 2 min 00 s');
  expect([combinations(null), combinations(640), combinations(3.2e12)]).toEqual(['continuous', '640', '≈ 3.2 T']);
});

test('unified settings travel in the predecessor’s language', () => {
  expect(isNothing(NOTHING)).toBe(true);
  const file = JSON.parse(
    carrier(
      { quant: { kvcache_dtype: ['fp8'], gemm_dtype: [] }, parallel: { tp: [1, 2] }, expert: ['on'] },
      'vllm',
      'a/b',
    ),
  );
  expect(file).toMatchObject({
    base_runtime: 'vllm',
    model: { id_or_path: 'a/b' },
    quant_config: { kvcache_dtype: ['fp8'] },
    parallel_config: { tp: [1, 2], enable_expert_parallel: [true] },
  });
  expect(file.quant_config).not.toHaveProperty('gemm_dtype');
});

test('prompts come from elsewhere and the rest of the workload stays', () => {
  const text = 'name: x\nworkload: {scenario: "D(5,5)", temperature: 0.5}   # mine\n';
  const workload = parse(text).value.workload;
  const classes = setSource(text, workload, 'classes', {});
  expect(parse(classes).value.workload).toEqual({
    temperature: 0.5,
    classes: [{ name: 'chat', weight: 1, scenario: 'D(5,5)' }],
  });
  expect(classes).toContain('# mine');
  expect(sourceOf(parse(classes).value.workload)).toBe('classes');
  const dataset = setSource(text, workload, 'dataset', {});
  expect(parse(dataset).value.workload).toEqual({ temperature: 0.5, dataset: { source: '' } });
  expect(sourceOf({ prompts_file: 'a.jsonl' })).toBe('dataset');
});
