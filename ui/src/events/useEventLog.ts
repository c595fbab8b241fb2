import { useEffect, useState } from 'react';
import { asApiError, isAbort } from '@/api/error';
import { readEvents } from './taskEvents';
import type { EventKind, ServerEvent } from './types';

export interface EventLog {
  events: readonly ServerEvent[];
  isPresent: boolean;
  error: Error | null;
  again: () => void;
}

/** Everything that happened to a task, growing while one looks. Keep `kinds` the same from render to render. */
export function useEventLog(task: string, kinds: readonly EventKind[]): EventLog {
  const [log, setLog] = useState<Omit<EventLog, 'again'>>({ events: [], isPresent: false, error: null });
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn reads again
  useEffect(() => {
    const own = new AbortController();
    setLog({ events: [], isPresent: false, error: null });
    readEvents({
      task,
      kinds,
      signal: own.signal,
      onEvents: (more, isPresent) =>
        setLog((old) => ({ events: more.length ? [...old.events, ...more] : old.events, isPresent, error: null })),
    }).catch((error) => {
      if (!own.signal.aborted && !isAbort(error)) setLog((old) => ({ ...old, error: asApiError(error) }));
    });
    return () => own.abort();
  }, [task, kinds, turn]);
  return { ...log, again: () => setTurn((n) => n + 1) };
}
