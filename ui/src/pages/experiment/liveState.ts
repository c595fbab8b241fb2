import type { Attempt } from '@/api/types';
import type { CourseEvent } from '@/events/course';

type PhaseEvent = Extract<CourseEvent, { kind: 'phase' }>;
type LevelEvent = Extract<CourseEvent, { kind: 'level_measured' }>;

export interface LiveState {
  /** Where the last attempt is. */
  phase: PhaseEvent | undefined;
  levels: LevelEvent[];
  /** Ends of levels in seconds from the begin of the attempt, and what they gave. */
  at: number[];
  throughput: (number | null)[];
}

/** What the events of the last attempt say of it. */
export function liveState(events: readonly CourseEvent[], attempt: Attempt | undefined): LiveState {
  const last = attempt?.number ?? Math.max(0, ...events.map((event) => ('attempt' in event ? event.attempt : 0)));
  const own = events.filter((event) => 'attempt' in event && event.attempt === last);
  const phases = own.filter((event): event is PhaseEvent => event.kind === 'phase');
  const levels = own.filter((event): event is LevelEvent => event.kind === 'level_measured');
  const begun = attempt?.started_at ?? own[0]?.at;
  const from = begun === undefined ? 0 : Date.parse(begun);
  return {
    phase: own.some((event) => event.kind === 'attempt_ended') ? undefined : phases.at(-1),
    levels,
    at: levels.map((level) => (Date.parse(level.at) - from) / 1000),
    throughput: levels.map((level) => level.output_throughput ?? null),
  };
}
