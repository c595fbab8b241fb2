import { useCallback, useSyncExternalStore } from 'react';
import { currentSession } from '@/api/session';
import { EventStream } from './stream';
import type { EventKind, EventOf, ServerEvent } from './types';

const KINDS = [
  'attempt_started',
  'phase',
  'level_measured',
  'attempt_ended',
  'experiment_ended',
] as const satisfies EventKind[];

type Kind = (typeof KINDS)[number];
export type CourseEvent = { [K in Kind]: EventOf<K> }[Kind];

/** Events are not read beyond this many: then what is known of ended experiments has to do without them. */
const MOST = 40_000;
/** Watchers are told once for all that came in this time, ms. */
const TELL_MS = 30;
const NOTHING: readonly CourseEvent[] = [];

type Opener = (after: number, signal: AbortSignal) => Promise<Response>;

function opener(task: string): Opener {
  return (after, signal) => {
    const query = new URLSearchParams({ task, after: String(after), kind: KINDS.join() });
    const headers = new Headers({ accept: 'text/event-stream' });
    const { token } = currentSession();
    if (token) headers.set('authorization', `Bearer ${token}`);
    return fetch(`/api/events?${query}`, { headers, signal, cache: 'no-store' });
  };
}

/**
 * How the experiments of a task went, from its events. They are read in order, from where an earlier reader stopped, until the
 * wanted experiment has ended; of one that runs they come as they happen.
 */
export class Course {
  readonly #events = new Map<number, readonly CourseEvent[]>();
  readonly #ended = new Set<number>();
  readonly #wanted = new Map<number, number>();
  readonly #watchers = new Set<() => void>();
  readonly #stream: EventStream;
  #read = 0;
  #isTelling = false;

  constructor(open: Opener) {
    this.#stream = new EventStream({
      open: (after, signal) => open(after ?? 0, signal),
      onEvent: (event) => this.#take(event),
      onGap: () => {},
    });
  }

  of(experiment: number): readonly CourseEvent[] {
    return this.#events.get(experiment) ?? NOTHING;
  }

  /** Reads on until the experiment has ended, or nobody wants it any more. */
  want(experiment: number, watcher: () => void): () => void {
    this.#watchers.add(watcher);
    this.#wanted.set(experiment, (this.#wanted.get(experiment) ?? 0) + 1);
    this.#settle();
    return () => {
      this.#watchers.delete(watcher);
      const left = (this.#wanted.get(experiment) ?? 1) - 1;
      if (left > 0) this.#wanted.set(experiment, left);
      else this.#wanted.delete(experiment);
      this.#settle();
    };
  }

  #settle() {
    const isWaiting = [...this.#wanted.keys()].some((experiment) => !this.#ended.has(experiment));
    if (isWaiting && this.#read < MOST) this.#stream.start();
    else this.#stream.stop();
  }

  #take(event: ServerEvent) {
    const { experiment } = event;
    if (experiment === undefined) return;
    this.#read += 1;
    this.#events.set(experiment, [...this.of(experiment), event as CourseEvent]);
    if (event.kind === 'experiment_ended') this.#ended.add(experiment);
    if (event.kind === 'experiment_ended' || this.#read === MOST) this.#settle();
    this.#tell();
  }

  #tell() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      for (const watcher of this.#watchers) watcher();
    }, TELL_MS);
  }
}

const courses = new Map<string, Course>();
/** Tasks whose events are kept. */
const KEPT = 8;

function courseOf(task: string): Course {
  const found = courses.get(task);
  if (found) return found;
  const [oldest] = courses.keys();
  if (courses.size >= KEPT && oldest !== undefined) courses.delete(oldest);
  const made = new Course(opener(task));
  courses.set(task, made);
  return made;
}

/** Attempts, phases and levels of an experiment as its events tell them; `task` is the task's id. */
export function useCourse(task: string, experiment: number): readonly CourseEvent[] {
  const subscribe = useCallback((watcher: () => void) => courseOf(task).want(experiment, watcher), [task, experiment]);
  return useSyncExternalStore(subscribe, () => courseOf(task).of(experiment));
}
