import { useCallback, useEffect, useRef, useState } from 'react';
import { send } from '@/api/client';
import { asApiError, isAbort } from '@/api/error';
import { readLog } from '@/api/experiments';
import { SseReader } from '@/events/sse';
import { appended, begin, type LogBuffer, prepended } from './logBuffer';

/** What is read at once before what is there, bytes. */
const EARLIER = 512 * 1024;
const AGAIN_MS = 2000;

export interface LogState {
  attempt: number | undefined;
  buffer: LogBuffer | null;
  /** Bytes of the whole log, when it was last looked at. */
  size: number;
  ended: boolean;
  /** The connection broke; it is tried again. */
  isLost: boolean;
  error: Error | null;
}

const START: LogState = { attempt: undefined, buffer: null, size: 0, ended: false, isLost: false, error: null };

interface Place {
  task: string;
  number: number;
  attempt: number | undefined;
}

interface Wanted extends Place {
  /** Changes when there may be a log where there was none. */
  version: string;
  /** What is not followed stays as it was when it was read. Default: it is followed. */
  isFollowed?: boolean;
}

/** Reads the end of a log, follows it while it grows, and reads earlier parts on demand; never the whole at once. */
export function useLog({ task, number, attempt, version, isFollowed = true }: Wanted) {
  const [state, setState] = useState(START);
  const [isReading, setReading] = useState(false);
  const current = useRef(state);
  current.current = state;
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another round begins anew
  useEffect(() => {
    const stop = new AbortController();
    setState(START);
    void (async () => {
      try {
        const part = await readLog(task, number, { attempt });
        if (stop.signal.aborted) return;
        const first = begin({ offset: part.offset, next: part.next_offset, text: part.text });
        setState({ ...START, attempt: part.attempt, buffer: first, size: part.size_bytes, ended: part.ended });
        if (!part.ended && isFollowed)
          await follow({ task, number, attempt: part.attempt }, part.next_offset, stop.signal, setState);
      } catch (error) {
        if (!stop.signal.aborted) setState((old) => ({ ...old, error: asApiError(error) }));
      }
    })();
    return () => stop.abort();
  }, [task, number, attempt, version, isFollowed, round]);

  const readEarlier = useCallback(async () => {
    const { buffer, attempt: of } = current.current;
    if (!buffer || buffer.offset === 0) return;
    setReading(true);
    try {
      const offset = Math.max(0, buffer.offset - EARLIER);
      const part = await readLog(task, number, { attempt: of, offset, limit: buffer.offset - offset });
      const piece = { offset: part.offset, next: part.next_offset, text: part.text };
      setState((old) => (old.buffer ? { ...old, buffer: prepended(old.buffer, piece) } : old));
    } finally {
      setReading(false);
    }
  }, [task, number]);

  return { ...state, isReading, readEarlier, again: () => setRound((n) => n + 1) };
}

type Change = (change: (old: LogState) => LogState) => void;

async function follow(place: Place, from: number, signal: AbortSignal, change: Change) {
  let at = from;
  while (!signal.aborted) {
    try {
      const path = `/api/tasks/${encodeURIComponent(place.task)}/experiments/${place.number}/log/follow`;
      const answer = await send(`${path}?attempt=${place.attempt}&offset=${at}`, {
        signal,
        cache: 'no-store',
        headers: { accept: 'text/event-stream' },
      });
      change((old) => ({ ...old, isLost: false }));
      let ended = false;
      const reader = new SseReader((sent) => {
        if (sent.event === 'end') ended = true;
        else {
          const { offset, text } = JSON.parse(sent.data) as { offset: number; text: string };
          const next = Number(sent.id);
          at = next;
          change((old) => ({
            ...old,
            buffer: appended(old.buffer, { offset, next, text }),
            size: Math.max(old.size, next),
          }));
        }
      });
      await pump(answer, reader, signal);
      if (ended) {
        change((old) => ({ ...old, ended: true }));
        return;
      }
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
    }
    change((old) => ({ ...old, isLost: true }));
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function pump(answer: Response, reader: SseReader, signal: AbortSignal) {
  if (!answer.body) return;
  const chunks = answer.body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  while (!signal.aborted) {
    const { done, value } = await chunks.read();
    if (done) return;
    reader.push(value);
  }
}
