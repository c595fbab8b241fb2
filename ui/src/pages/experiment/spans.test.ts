import { describe, expect, test } from 'vitest';
import type { Attempt, Measurement } from '@/api/types';
import type { CourseEvent } from '@/events/course';
import { attemptSpans, ticks } from './spans';

const at = (seconds: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString();
const measured = (level: number, window_s: number, elapsed_s: number) =>
  ({ level, repeat: 0, window_s, elapsed_s }) as Measurement;

const attempt = (more: Partial<Attempt>): Attempt => ({
  number: 1,
  state: 'succeeded',
  started_at: at(0),
  ended_at: at(20),
  measurements: [],
  evidence: {},
  ...more,
});
const phase = (seconds: number, phase: string, level?: number): CourseEvent =>
  ({
    seq: seconds,
    at: at(seconds),
    kind: 'phase',
    attempt: 1,
    experiment: 1,
    phase,
    level,
    repeat: level === undefined ? undefined : 0,
  }) as CourseEvent;

describe('phases of an attempt', () => {
  test('are as its events tell them', () => {
    const events = [
      phase(0, 'provision'),
      phase(1, 'loading'),
      phase(5, 'ready'),
      phase(5, 'level', 0),
      phase(19, 'stopping'),
    ];
    const [row] = attemptSpans([attempt({ measurements: [measured(0, 10, 13)] })], events, 0);
    expect(row?.source).toBe('events');
    expect(row?.took).toBe(20);
    expect(row?.spans.map(({ kind, from, to, measured: m }) => [kind, from, to, m])).toEqual([
      ['provision', 0, 1, undefined],
      ['loading', 1, 5, undefined],
      ['level', 5, 19, 10],
      ['stopping', 19, 20, undefined],
    ]);
  });

  test('are put together from its evidence where there are no events', () => {
    const evidence = { ready_s: 4, stop_s: 1 };
    const [row] = attemptSpans([attempt({ evidence, measurements: [measured(0, 5, 6), measured(1, 5, 6)] })], [], 0);
    expect(row?.source).toBe('evidence');
    expect(row?.spans.map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ['boot', 0, 4],
      ['level', 4, 10],
      ['level', 10, 16],
      ['rest', 16, 19],
      ['stopping', 19, 20],
    ]);
  });

  test('of one that runs reach to now', () => {
    const running = attempt({ state: 'running', ended_at: undefined });
    const [row] = attemptSpans([running], [phase(0, 'provision'), phase(2, 'loading')], Date.parse(at(7)));
    expect(row?.spans.at(-1)).toMatchObject({ kind: 'loading', from: 2, to: 7, open: true });
  });

  test('of another attempt are not mixed in', () => {
    const rows = attemptSpans([attempt({}), attempt({ number: 2 })], [phase(0, 'provision')], 0);
    expect(rows.map(({ source }) => source)).toEqual(['events', 'evidence']);
  });
});

test.each([
  [20, [0, 5, 10, 15, 20]],
  [0.82, [0, 0.2, 0.4, 0.6, 0.8]],
  [0, [0]],
])('ticks of %d s', (length, expected) => {
  expect(ticks(length).map((tick) => Number(tick.toFixed(6)))).toEqual(expected);
});
