import { useEffect, useState } from 'react';
import { asApiError, isAbort } from '@/api/error';
import type { ServerEvent } from '@/events';
import { readEvents } from '@/events/taskEvents';
import { PHASE_KINDS } from './data/spans';

export interface Phases {
  events: readonly ServerEvent[];
  /** The past has been read. */
  isPresent: boolean;
  error: Error | null;
}

const NOTHING: Phases = { events: [], isPresent: false, error: null };

/** Phases of a task's experiments, past and present; `task` is its id. */
export function usePhases(task: string, enabled = true): Phases {
  const [phases, setPhases] = useState(NOTHING);
  useEffect(() => {
    if (!enabled) return;
    const own = new AbortController();
    setPhases(NOTHING);
    readEvents({
      task,
      kinds: PHASE_KINDS,
      signal: own.signal,
      onEvents: (more, isPresent) =>
        setPhases((old) => ({ events: more.length ? [...old.events, ...more] : old.events, isPresent, error: null })),
    }).catch((error) => {
      if (!own.signal.aborted && !isAbort(error)) setPhases((old) => ({ ...old, error: asApiError(error) }));
    });
    return () => own.abort();
  }, [task, enabled]);
  return phases;
}
