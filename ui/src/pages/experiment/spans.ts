import type { Attempt, Measurement } from '@/api/types';
import type { CourseEvent } from '@/events/course';

export type SpanKind = 'provision' | 'loading' | 'boot' | 'ready' | 'warm_up' | 'level' | 'stopping' | 'rest';

/** A part of an attempt, in seconds from its begin. */
export interface Span {
  kind: SpanKind;
  from: number;
  to: number;
  level?: number;
  repeat?: number;
  /** Of a level: seconds that were measured; the rest of it was warm-up and drain. */
  measured?: number;
  /** It goes on. */
  open?: boolean;
}

export interface AttemptSpans {
  attempt: number;
  state: Attempt['state'];
  startedAt: string;
  /** Seconds it took, or has taken so far. */
  took: number;
  /** `events`: as it happened. `evidence`: put together from what the attempt says of itself. */
  source: 'events' | 'evidence';
  spans: Span[];
}

const seconds = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000;

/** What counts of a level is told by its measurement. */
function measured(measurements: readonly Measurement[], level?: number, repeat?: number): number | undefined {
  return measurements.find((m) => m.level === level && m.repeat === repeat)?.window_s;
}

function fromEvents(attempt: Attempt, events: readonly CourseEvent[], took: number): Span[] {
  const phases = events.flatMap((event) => (event.kind === 'phase' ? [event] : []));
  const running = attempt.ended_at === undefined;
  return phases.flatMap((phase, index) => {
    const next = phases[index + 1];
    const from = seconds(attempt.started_at, phase.at);
    const to = next ? seconds(attempt.started_at, next.at) : Math.max(from, took);
    const { phase: kind, level, repeat } = phase;
    const open = !next && running ? true : undefined;
    if (to - from < 0.0005 && !open) return [];
    const window = kind === 'level' ? measured(attempt.measurements, level, repeat) : undefined;
    return [{ kind, from, to, level, repeat, measured: window, open }];
  });
}

function fromEvidence(attempt: Attempt, took: number): Span[] {
  const spans: Span[] = [];
  let at = 0;
  const add = (kind: SpanKind, length: number, more: Partial<Span> = {}) => {
    const to = Math.min(took, at + length);
    if (to > at) spans.push({ kind, from: at, to, ...more });
    at = Math.max(at, to);
  };
  const { ready_s, stop_s } = attempt.evidence;
  if (ready_s !== undefined) add('boot', ready_s);
  for (const { level, repeat, elapsed_s, window_s } of attempt.measurements) {
    add('level', elapsed_s, { level, repeat, measured: window_s });
  }
  if (attempt.ended_at !== undefined) {
    if (stop_s !== undefined && took - at > stop_s) add('rest', took - at - stop_s);
    add(stop_s === undefined ? 'rest' : 'stopping', took - at);
  } else if (took > at) spans.push({ kind: 'rest', from: at, to: took, open: true });
  return spans;
}

/** How each attempt went. Where its events are not there, what it says of itself has to do. */
export function attemptSpans(
  attempts: readonly Attempt[],
  events: readonly CourseEvent[],
  now: number,
): AttemptSpans[] {
  return attempts.map((attempt) => {
    const own = events.filter((event) => 'attempt' in event && event.attempt === attempt.number);
    const end = attempt.ended_at ?? new Date(now).toISOString();
    const took = Math.max(0, seconds(attempt.started_at, end));
    const isTold = own.some((event) => event.kind === 'phase');
    return {
      attempt: attempt.number,
      state: attempt.state,
      startedAt: attempt.started_at,
      took,
      source: isTold ? 'events' : 'evidence',
      spans: isTold ? fromEvents(attempt, own, took) : fromEvidence(attempt, took),
    };
  });
}

/** Ticks of a time axis of this length: few, at round seconds. */
export function ticks(length: number, most = 6): number[] {
  if (!(length > 0)) return [0];
  const rough = length / most;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * size >= rough) ?? 10) * size;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, n) => n * step);
}
