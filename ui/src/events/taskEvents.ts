import { send } from '@/api/client';
import { onServerEvent } from './hub';
import { SseReader } from './sse';
import type { EventKind, ServerEvent } from './types';

/** A stream of the past does not say where the present begins: silence for so long does, ms. */
const SILENCE_MS = 1500;
/** Events are handed on in parts, so that a long history does not redraw the page for each. */
const PART_MS = 150;

interface Wanted {
  task: string;
  kinds: readonly EventKind[];
  signal: AbortSignal;
  /** New events in order, each once. `isPresent`: what was before has been read. */
  onEvents: (events: ServerEvent[], isPresent: boolean) => void;
}

/**
 * Everything that happened to a task, and then what happens. The past is read from a stream of its own that is closed once it
 * falls silent, as browsers allow few; the present comes from the one stream of the page, which is heard from the beginning, so
 * that nothing is missed between the two.
 */
export async function readEvents({ task, kinds, signal, onEvents }: Wanted): Promise<void> {
  const wanted = new Set<string>(kinds);
  const buffered: ServerEvent[] = [];
  let last = 0;
  let isPresent = false;
  let due: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    due = undefined;
    onEvents(buffered.splice(0), isPresent);
  };
  const take = (event: ServerEvent) => {
    if (event.seq <= last) return;
    last = event.seq;
    buffered.push(event);
    due ??= setTimeout(flush, PART_MS);
  };
  const waiting: ServerEvent[] = [];
  const end = onServerEvent((event) => {
    if (event.task !== task || !wanted.has(event.kind)) return;
    if (isPresent) take(event);
    else waiting.push(event);
  });
  signal.addEventListener('abort', () => {
    end();
    clearTimeout(due);
  });
  await readPast(task, kinds, signal, take);
  if (signal.aborted) return;
  isPresent = true;
  for (const event of waiting) take(event);
  clearTimeout(due);
  flush();
}

async function readPast(
  task: string,
  kinds: readonly EventKind[],
  signal: AbortSignal,
  take: (e: ServerEvent) => void,
) {
  const own = new AbortController();
  const abort = () => own.abort();
  signal.addEventListener('abort', abort);
  const query = new URLSearchParams({ after: '0', task, kind: kinds.join() });
  const headers = { accept: 'text/event-stream' };
  const response = await send(`/api/events?${query}`, { headers, signal: own.signal, cache: 'no-store' });
  const reader = new SseReader((sent) => {
    if (sent.data) take(JSON.parse(sent.data) as ServerEvent);
  });
  const chunks = response.body?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>);
  const from = chunks?.getReader();
  let silence: ReturnType<typeof setTimeout> | undefined;
  try {
    while (from) {
      silence = setTimeout(abort, SILENCE_MS);
      const { done, value } = await from.read();
      clearTimeout(silence);
      if (done) return;
      reader.push(value);
    }
  } catch (error) {
    // We ended it ourselves, having read everything.
    if (!own.signal.aborted) throw error;
  } finally {
    clearTimeout(silence);
    own.abort();
    signal.removeEventListener('abort', abort);
  }
}
