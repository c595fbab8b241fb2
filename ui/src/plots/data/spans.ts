import type { EventKind, EventOf, PhaseName, ServerEvent } from '@/events';
import type { Point } from './points';

/** The kinds of events that say when an experiment was in which phase, and who ran it. */
export const PHASE_KINDS = ['attempt_started', 'phase', 'attempt_ended', 'experiment_ended'] as const;

export interface Span {
  number: number;
  phase: PhaseName | 'whole';
  /** Level, while one was measured. */
  level?: number;
  from: number;
  /** Absent while it lasts. */
  to: number | null;
  worker: string | null;
}

type PhaseKind = (typeof PHASE_KINDS)[number];
type PhaseEvent = { [K in PhaseKind]: EventOf<K> }[PhaseKind];

function isPhaseEvent(event: ServerEvent): event is PhaseEvent {
  return (PHASE_KINDS as readonly EventKind[]).includes(event.kind);
}

/** Phases of experiments out of their events, in order of time. */
export function spansOf(events: readonly ServerEvent[]): Span[] {
  const spans: Span[] = [];
  const open = new Map<number, Span>();
  const workers = new Map<number, string>();
  for (const event of events) {
    if (!isPhaseEvent(event) || event.experiment === undefined) continue;
    const { experiment } = event;
    const at = Date.parse(event.at);
    const before = open.get(experiment);
    if (before) {
      before.to = at;
      open.delete(experiment);
    }
    if (event.kind === 'attempt_started') workers.set(experiment, event.worker);
    if (event.kind !== 'phase') continue;
    const worker = workers.get(experiment) ?? null;
    const span: Span = { number: experiment, phase: event.phase, level: event.level, from: at, to: null, worker };
    spans.push(span);
    open.set(experiment, span);
  }
  return spans.filter(({ from, to }) => to === null || to > from);
}

/** Experiments whole, where there are no phases of them. */
export function wholeSpans(points: readonly Point[], known: ReadonlySet<number>): Span[] {
  return points
    .filter((point) => !known.has(point.number))
    .map(({ number, createdAt, endedAt }) => {
      return { number, phase: 'whole' as const, from: createdAt, to: endedAt, worker: null };
    });
}

export interface Lane {
  name: string;
  worker: string | null;
}

/**
 * A lane for each worker; where nobody knows who ran an experiment, or a worker ran several at once, as many as it takes so
 * that none lies on another.
 */
export function lanesOf(spans: readonly Span[], now: number): { lanes: Lane[]; laneOf: Map<number, number> } {
  const whole = new Map<number, { from: number; to: number; worker: string | null }>();
  for (const { number, from, to, worker } of spans) {
    const known = whole.get(number);
    const end = to ?? now;
    if (known) {
      known.from = Math.min(known.from, from);
      known.to = Math.max(known.to, end);
      known.worker ??= worker;
    } else whole.set(number, { from, to: end, worker });
  }
  const lanes: (Lane & { free: number; nth: number })[] = [];
  const laneOf = new Map<number, number>();
  for (const [number, { from, to, worker }] of [...whole].sort((a, b) => a[1].from - b[1].from)) {
    let at = lanes.findIndex((lane) => lane.worker === worker && lane.free <= from);
    if (at < 0) {
      const nth = lanes.filter((lane) => lane.worker === worker).length + 1;
      lanes.push({ name: '', worker, free: 0, nth });
      at = lanes.length - 1;
    }
    (lanes[at] as (typeof lanes)[number]).free = to;
    laneOf.set(number, at);
  }
  const named = lanes.map(({ worker, nth }) => ({ worker, name: `${worker ?? ''}${nth > 1 ? ` (${nth})` : ''}` }));
  return { lanes: named, laneOf };
}
