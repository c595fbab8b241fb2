import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Measurement, Score, Series } from '@/api/types';
import { figureCell, figureRows, levelColumns, reportChoices, sloRows } from './levelRows';
import { changedNames, choiceOf, startValues } from './neighbour';
import { derivedName, withBaseline } from './newTask';
import { parameterRows } from './parameterRows';
import { firstRecords, type RequestRecord, requestRow } from './requests';
import { enginePlots, gpuPlot, rateOf } from './seriesLines';

const requests = { planned: 10, completed: 9, failed: 1, cancelled: 0, unsent: 0 };
const summary = {
  n: 100,
  mean: 50,
  stddev: 1,
  min: 1,
  max: 99,
  percentiles: { p50: 40, p99: 90 },
  lower_bounds: { p50: 35 },
  upper_bounds: { p50: 45 },
};
const measurement: Measurement = {
  level: 0,
  repeat: 0,
  window_s: 10,
  elapsed_s: 12,
  requests,
  errors: { timeout: 1 },
  metrics: { ttft: summary, output_throughput: 100 },
  intervals: { output_throughput: { low: 95, high: 105, confidence: 0.95, batches: 10 } },
  classes: { chat: { requests, metrics: { output_throughput: 60 } } },
  validity: { verdict: 'valid' },
};
const score = { level: 0, levels: [{ level: 0, slos: [{ label: 'ttft p99 ≤ 80 ms', actual: 90, violation: 0.1 }] }] };

describe('the table of measurements', () => {
  const columns = levelColumns([measurement], score as unknown as Score, () => 'c8');
  const [column] = columns;
  if (!column) throw new Error('a level has a column');

  test('has what is known of a figure beside it', () => {
    expect(figureCell(column, 'ttft', 'p50')).toEqual({ value: 40, low: 35, high: 45, confidence: 0.98, n: 100 });
    expect(figureCell(column, 'ttft', 'p99')).toMatchObject({ value: 90, high: undefined });
    expect(figureCell(column, 'output_throughput', 'mean')).toMatchObject({ value: 100, low: 95, high: 105 });
    expect(figureCell(column, 'tpot', 'p50')).toEqual({ value: undefined });
  });

  test('has rows for what was measured, and those that SLOs name in front', () => {
    const rows = figureRows(columns, [{ metric: 'ttft', stat: 'mean' }]);
    expect(rows.rates.map(({ key }) => key)).toEqual(['output_throughput mean']);
    expect(rows.times.filter(({ extra }) => !extra).map(({ key }) => key)).toEqual([
      'ttft mean',
      'ttft p50',
      'ttft p99',
    ]);
    expect(sloRows(columns).map(({ label }) => label)).toEqual(['ttft p99 ≤ 80 ms']);
  });

  test('shows a class of requests alone, without the interval of all', () => {
    expect(reportChoices([measurement])).toEqual([{ kind: 'all' }, { kind: 'class', name: 'chat' }]);
    const [of] = levelColumns([measurement], null, () => 'c8', { kind: 'class', name: 'chat' });
    expect(of && figureCell(of, 'output_throughput', 'mean')).toMatchObject({ value: 60, low: undefined });
  });
});

test('a configuration differs from the baseline also where one leaves it to the engine', () => {
  const rows = parameterRows({ a: 1, b: null, c: 'x' }, { a: 1, b: false, d: 2 });
  expect(rows.filter(({ differs }) => differs).map(({ name }) => name)).toEqual(['b', 'c', 'd']);
});

describe('a new task from an experiment', () => {
  const source = '# mine\nname: old\nbaseline: {threads: 2, port: 1}\nbudget: {experiments: 40} # many\n';

  test('keeps comments, and the flags that no experiment varies', async () => {
    const configuration = { threads: 8, 'flash-attn': true };
    const text = await withBaseline({
      source,
      name: 'old-from-3',
      configuration,
      varied: new Set(['threads', 'flash-attn']),
    });
    expect(text).toContain('# mine');
    expect(text).toContain('# many');
    expect(parse(text)).toEqual({
      name: 'old-from-3',
      baseline: { port: 1, threads: 8, 'flash-attn': true },
      budget: { experiments: 40 },
    });
  });

  test('may measure that configuration alone, and may come from JSON', async () => {
    const wanted = { source: '{"name": "old"}', name: 'again', configuration: { a: null }, varied: new Set<string>() };
    const text = await withBaseline({ ...wanted, isOnlyThis: true });
    expect(parse(text)).toEqual({ name: 'again', baseline: { a: null }, budget: { experiments: 1 } });
  });

  test('has a name that is short enough', () => {
    expect(derivedName('a'.repeat(80), '-from-12')).toHaveLength(64);
    expect(derivedName('short', '-from-12')).toBe('short-from-12');
  });
});

test('values of a neighbour begin with those of the experiment', () => {
  const parameters = { list: ['a', 1], flag: 'bool', whole: { low: 1, high: 8 }, real: { low: 0.5, high: 1 } } as const;
  const start = startValues(parameters as never, { list: 1, whole: 4 });
  expect(start).toEqual({ list: 1, flag: false, whole: 4, real: 0.5 });
  expect(changedNames({ list: 1, whole: 4 }, { ...start, whole: 5 })).toEqual(['flag', 'whole', 'real']);
  expect(choiceOf(parameters.real)).toMatchObject({ kind: 'range', isInteger: false });
  expect(choiceOf(parameters.whole)).toMatchObject({ kind: 'range', isInteger: true });
});

describe('requests', () => {
  const record: RequestRecord = {
    attempt: 1,
    level: 0,
    repeat: 0,
    label: 'c4',
    index: 7,
    planned_s: 1,
    sent_s: 1.002,
    first_answer_s: 1.1,
    reads: [
      { at_s: 1.05, events: 1, tokens: 0 },
      { at_s: 1.1, events: 1, tokens: 1 },
      { at_s: 1.3, events: 2, tokens: 10 },
    ],
    ended_s: 1.31,
    input_tokens: 5,
    output_tokens: 11,
    fate: { kind: 'completed' },
  };

  test('have their times from the first token that was read', () => {
    const row = requestRow(record, 0);
    expect(row.lateMs).toBeCloseTo(2);
    expect(row.ttftMs).toBeCloseTo(98);
    expect(row.totalMs).toBeCloseTo(298);
    expect(row.tpotMs).toBeCloseTo(20);
  });

  test('are read as far as they are shown', async () => {
    const lines = Array.from({ length: 10 }, () => JSON.stringify(record)).join('\n');
    const stream = () => new Blob([lines]).stream() as ReadableStream<Uint8Array>;
    expect(await firstRecords(stream(), 4)).toMatchObject({ more: true, rows: { length: 4 } });
    expect(await firstRecords(stream(), 100)).toMatchObject({ more: false, rows: { length: 10 } });
  });
});

test('series: rates between counts, shares as percent, GPUs on one axis', () => {
  const points = [
    { at_s: 1, gauges: { running: 2, kv_usage: 0.5 }, output_tokens: 100 },
    { at_s: 3, gauges: { running: 4 }, output_tokens: 300 },
  ];
  expect(rateOf(points)).toEqual({ at: [3], values: [100] });
  const gpu = (index: number, shift: number) => ({
    index,
    figures: {},
    points: [{ at_s: 1 + shift, index, power_w: 100 * (index + 1) }],
  });
  const series = {
    attempt: 1,
    label: 'c8',
    level: 0,
    repeat: 0,
    figures: {},
    points,
    gpus: [gpu(0, 0), gpu(1, 0.001)],
  } as Series;
  const names = { running: 'running', waiting: 'waiting', kv: 'kv', rate: 'rate' };
  expect(enginePlots(series, names).map(({ key, lines }) => [key, lines.length])).toEqual([
    ['rate', 1],
    ['batch', 1],
    ['kv', 1],
  ]);
  expect(enginePlots(series, names).at(-1)?.lines[0]?.values).toEqual([50, null]);
  expect(gpuPlot(series, 'power_w', (index) => `GPU ${index}`)?.lines.map(({ values }) => values)).toEqual([
    [100],
    [200],
  ]);
  expect(gpuPlot(series, 'clock_mhz', String)).toBeNull();
});
