import { expect, test } from 'vitest';
import type { EngineParameter } from '@/api/engines';
import { converted, findParameter, firstSpec, searchParameters, sizeOf, specKind } from './parameter';

const catalogue = [
  { name: 'host', kind: 'text', help: 'Address of the server', group: '' },
  { name: 'max-num-seqs', kind: 'int', help: 'Most sequences', group: '', tunable: [64, 128], aliases: ['mns'] },
  { name: 'max_batch', kind: 'int', help: 'Batch of sequences', group: '', default: '8' },
] as EngineParameter[];

test('forms of parameters and their sizes', () => {
  expect([[1, 2], 'bool', { type: 'bool' }, { low: 1, high: 4 }, { values: [1] }, {}].map(specKind)).toEqual([
    'values',
    'switch',
    'switch',
    'range',
    'values',
    'values',
  ]);
  expect([[1, 2, 3], 'bool', { low: 0.8, high: 0.95, step: 0.05 }, { low: 0, high: 1.5 }, []].map(sizeOf)).toEqual([
    3,
    2,
    4,
    null,
    null,
  ]);
});

test('another form carries values and condition over', () => {
  expect(converted([8, 2, 4], 'range')).toEqual({ low: 2, high: 8 });
  expect(converted({ low: 0.8, high: 0.9, step: 0.05, when: 'a == 1' }, 'values')).toEqual({
    values: [0.8, 0.85, 0.9],
    when: 'a == 1',
  });
  expect(converted({ values: [1], when: 'x' }, 'switch')).toEqual({ type: 'bool', when: 'x' });
  expect(converted('bool', 'values')).toEqual([false, true]);
});

test('the catalogue is searched by name, alias and help', () => {
  expect(findParameter(catalogue, 'max_num_seqs')?.name).toBe('max-num-seqs');
  expect(findParameter(catalogue, 'mns')?.name).toBe('max-num-seqs');
  expect(searchParameters(catalogue, 'sequences').map((one) => one.name)).toEqual(['max-num-seqs', 'max_batch']);
  expect(searchParameters(catalogue, 'max_b').map((one) => one.name)).toEqual(['max_batch']);
  expect(firstSpec(catalogue[2])).toEqual([{ text: '8', value: 8 }]);
});
