import { describe, expect, test } from 'vitest';
import type { ServerEvent } from '@/events';
import { quantities } from '@/plots/data/axes';
import { detail, experiment, ITEMS, sample } from '@/plots/testing/sample';
import { eventTone, eventWords, TECHNICAL } from './eventWords';
import { filterText, isField, matcher, parseFilter, parseTerm, toggleState, withTerm } from './filter';
import { timesBetter } from './Gain';
import { marginsOf } from './margins';
import { countsOf, phasesNow } from './progress';
import { readSearch } from './search';
import { differences, fieldsOf, filledIn } from './specDiff';

const task = sample();
const known = quantities(task);
const shown = (text: string) => {
  const matches = matcher(parseFilter(text), known);
  return task.points.filter(matches).map(({ number }) => number);
};

describe('filters', () => {
  test('are read as people write them', () => {
    expect(parseTerm(' max-num-seqs >= 64 ')).toEqual({ field: 'max-num-seqs', op: '>=', values: ['64'] });
    expect(parseTerm('state = success, missed')?.values).toEqual(['success', 'missed']);
    expect(parseTerm('nonsense')).toBeNull();
    expect(parseTerm('a >= 1,2')).toBeNull();
    expect(parseTerm('a =')).toBeNull();
  });

  test('are the same after a way through the address', () => {
    const text = 'state=success,missed;max-num-seqs>=64';
    expect(filterText(parseFilter(text))).toBe(text);
    expect(filterText([])).toBeUndefined();
  });

  test('let through what meets every term', () => {
    expect(shown('state=missed')).toEqual([5]);
    expect(shown('max-num-seqs>=64;enable-prefix-caching=true')).toEqual([3, 4]);
    expect(shown('objective>1000;state!=missed')).toEqual([3, 6]);
    expect(shown('ttft_p99<=300')).toEqual([2, 3]);
    expect(shown('max-num-seqs=unset')).toEqual([1]);
    expect(shown('failure=oom_load')).toEqual([4]);
    expect(shown('number=2,3')).toEqual([2, 3]);
  });

  test('know their fields', () => {
    expect(isField('state', known)).toBe(true);
    expect(isField('ttft_p99', known)).toBe(true);
    expect(isField('colour', known)).toBe(false);
  });

  test('have states that come and go, and one term for each field and order', () => {
    const one = toggleState([], 'success');
    expect(filterText(toggleState(one, 'missed'))).toBe('state=success,missed');
    expect(toggleState(one, 'success')).toEqual([]);
    const limit = (value: string) => ({ field: 'objective', op: '>' as const, values: [value] });
    expect(filterText(withTerm(withTerm([], limit('1')), limit('2')))).toBe('objective>2');
  });
});

describe('the verdict', () => {
  test('a gain is a gain for rates and for times', () => {
    expect(timesBetter({ goal: 'maximize' }, 100, 120)).toBeCloseTo(1.2);
    expect(timesBetter({ goal: 'minimize' }, 120, 100)).toBeCloseTo(1.2);
    expect(timesBetter({ goal: 'maximize' }, 0, 5)).toBeNull();
  });

  test('margins are those of the worst run of the verification', () => {
    const run = (number: number, arm: 'baseline' | 'best', ttft: number) =>
      experiment({ number, objective: 1000, ttft, role: { kind: 'verify', block: 1, arm } });
    const comparison = { baseline_level: 1, best_level: 1, pairs: [] };
    const verified = sample([...ITEMS, run(7, 'best', 700), run(8, 'best', 1200), run(9, 'baseline', 1600)]);
    const verdict = { comparison } as unknown as Parameters<typeof marginsOf>[1];
    expect(marginsOf(verified, verdict, 'best')[0]).toMatchObject({ worst: 1200, runs: 2 });
    expect(marginsOf(verified, verdict, 'baseline')[0]?.violation).toBeGreaterThan(0);
  });

  test('without a verification they are those of the run in the search', () => {
    expect(marginsOf(task, null, 'best')[0]).toMatchObject({ worst: 400, runs: 1 });
  });
});

describe('progress', () => {
  test('counts what the budget counts', () => {
    const open = experiment({ number: 7, outcome: 'open' });
    const verify = experiment({ number: 8, objective: 1, role: { kind: 'verify', block: 1, arm: 'best' } });
    const counts = countsOf(detail(), sample([...ITEMS, open, verify]));
    expect(counts).toEqual({ searched: 6, budget: 6, verified: 1, planned: 0 });
  });

  test('tells the phase of what runs by its last event', () => {
    const event = (more: object) => ({ seq: 1, at: '2026-11-28T12:00:00Z', experiment: 3, attempt: 1, ...more });
    const events = [
      event({ kind: 'phase', phase: 'loading' }),
      event({ kind: 'phase', phase: 'level', level: 1 }),
    ] as ServerEvent[];
    expect(phasesNow(events).get(3)).toMatchObject({ phase: 'level', level: 1 });
    const ended = event({ kind: 'experiment_ended', outcome: { kind: 'cancelled' } }) as ServerEvent;
    expect(phasesNow([...events, ended]).size).toBe(0);
  });
});

describe('differences between documents', () => {
  test('are told field by field', () => {
    const before = { name: 'a', budget: { experiments: 5 }, levels: [1, 2], gone: true };
    const after = { name: 'a', budget: { experiments: 9 }, levels: [1, 3] };
    expect(differences(before, after)).toEqual([
      { path: 'budget.experiments', before: '5', after: '9' },
      { path: 'levels', before: '[1, 2]', after: '[1, 3]' },
      { path: 'gone', before: 'true', after: null },
    ]);
    expect(differences(after, after)).toEqual([]);
  });

  test('defaults are what was not said; a short form was said', () => {
    const whole = { name: 'a', backend: { kind: 'local', port: 1 }, seed: 0 };
    expect(filledIn({ name: 'a', backend: 'local' }, whole).map(({ path }) => path)).toEqual(['seed']);
    expect(fieldsOf({ empty: {} })).toEqual([{ path: 'empty', value: '{}' }]);
  });
});

/** One of each kind. */
const EVENT_EXAMPLES = [
  { kind: 'task_created', name: 'a task' },
  { kind: 'task_started', resumed: false, worker: 'w' },
  { kind: 'task_reopened', was: 'failed' },
  { kind: 'cancel_requested' },
  { kind: 'task_ended', status: 'failed', failure: 'no GPU' },
  { kind: 'task_revised', name: 'a', number: 2, replaces: 'b' },
  { kind: 'task_archived' },
  { kind: 'task_unarchived' },
  { kind: 'experiment_created', role: { kind: 'verify', block: 1, arm: 'best' }, configuration: {} },
  { kind: 'attempt_started', attempt: 1, worker: 'w' },
  { kind: 'level_measured', attempt: 1, level: 0, repeat: 0, valid: true, output_throughput: 5 },
  { kind: 'attempt_ended', attempt: 1, state: 'failed', failure: { class: 'oom_load', message: 'too large' } },
  { kind: 'experiment_ended', outcome: { kind: 'pruned', reason: 'it lost' } },
  { kind: 'note', severity: 'warning', text: 'something to know' },
  { kind: 'phase', attempt: 1, phase: 'warm_up', level: 1 },
  { kind: 'deployment_reserved', attempt: 1, deployment: 'd', port: 80 },
  { kind: 'gpus_reserved', attempt: 1, deployment: 'd', gpus: [0, 1] },
  { kind: 'deployment_launched', attempt: 1, deployment: 'd', pid: 5 },
  { kind: 'deployment_stopped', attempt: 1, deployment: 'd' },
  { kind: 'evidence', attempt: 1, evidence: { engine_version: '1' } },
  { kind: 'read_back', attempt: 1, arguments: [{ name: 'a', asked: '1', verdict: 'different' }] },
  { kind: 'job', job: 'j', change: 'claimed' },
  { kind: 'lease_claimed', resource: 'task:1', owner: {}, fence: 1 },
  { kind: 'lease_released', resource: 'task:1', fence: 1 },
  { kind: 'lease_broken', resource: 'task:1', owner: {}, fence: 1 },
].map((event, seq) => ({ seq, at: '2026-11-28T12:00:00Z', ...event })) as ServerEvent[];

describe('events', () => {
  test('each kind is a sentence', () => {
    for (const event of EVENT_EXAMPLES) {
      expect(eventWords(event), event.kind).not.toBe(event.kind);
      expect(eventWords(event).length, event.kind).toBeGreaterThan(5);
    }
    const told = new Set(EVENT_EXAMPLES.map(({ kind }) => kind));
    expect(TECHNICAL.filter((kind) => !told.has(kind))).toEqual([]);
  });

  test('a failure wants to be seen', () => {
    const failed = EVENT_EXAMPLES.find(({ kind }) => kind === 'attempt_ended');
    expect(failed && eventTone(failed)).toBe('bad');
  });
});

test('the address is read', () => {
  expect(readSearch({ tab: 'events', filter: 'state=success', x: 5 })).toEqual({
    tab: 'events',
    filter: 'state=success',
    x: '5',
    y: undefined,
    slice: undefined,
    of: undefined,
    sort: undefined,
  });
  expect(readSearch({ tab: 'nowhere' }).tab).toBeUndefined();
});
