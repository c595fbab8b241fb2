import { SseReader } from './sse';
import type { ServerEvent } from './types';

export type Connection =
  /** Not heard of yet. */
  | 'connecting'
  | 'online'
  /** Lost a moment ago. */
  | 'reconnecting'
  /** Several tries failed. */
  | 'offline'
  /** The server lets us not follow events. */
  | 'refused';

/** A silent stream is told to live every 15 s; after three of them missing it is dead. */
export const SILENCE_MS = 45_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** Failed tries in a row before we call it offline. */
const OFFLINE_AFTER = 2;

export interface StreamOptions {
  /** Opens `/api/events` after a number, or from now on. */
  open: (after: number | null, signal: AbortSignal) => Promise<Response>;
  /** Each event once and in order. */
  onEvent: (event: ServerEvent) => void;
  /** What was kept before may be stale: nobody knows what was missed, or the database is another one. */
  onGap: () => void;
  /** The stream gave a sign of life. */
  onPulse?: () => void;
  onConnection?: (state: Connection) => void;
  random?: () => number;
}

/**
 * Follows the server's events and comes back by itself.
 *
 * Invariant: after an event was given, each later one is given once and in order, however often the connection breaks: a
 * reader comes back with the number of the last event, and what the server repeats is dropped.
 */
export class EventStream {
  #cursor: number | null = null;
  #state: Connection = 'connecting';
  #failures = 0;
  #opened = false;
  #run: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #stopped = true;

  constructor(private readonly options: StreamOptions) {}

  get state(): Connection {
    return this.#state;
  }

  /** Number of the last event. */
  get cursor(): number | null {
    return this.#cursor;
  }

  start() {
    if (!this.#stopped) return;
    this.#stopped = false;
    void this.#connect();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    this.#run?.abort();
  }

  /** Tries again now, where it waits for its next try. */
  hurry() {
    if (this.#stopped || this.#run !== null) return;
    clearTimeout(this.#timer);
    void this.#connect();
  }

  async #connect() {
    const run = new AbortController();
    this.#run = run;
    this.#watchFrom(run);
    let final = false;
    try {
      const response = await this.options.open(this.#cursor, run.signal);
      if (response.ok && response.body !== null) {
        this.#isOpen();
        await this.#read(response.body, run);
      } else {
        await response.body?.cancel();
        final = response.status === 401 || response.status === 403;
      }
    } catch {
      // Broken off, or never there: either way we come back.
    }
    clearTimeout(this.#watch);
    // The reader of a body that was given up may still hold it.
    run.abort();
    if (this.#run !== run) return;
    this.#run = null;
    if (this.#stopped) return;
    if (final) return this.#become('refused');
    this.#again();
  }

  #isOpen() {
    const missed = this.#opened && this.#cursor === null;
    const first = !this.#opened;
    this.#opened = true;
    this.#failures = 0;
    this.#become('online');
    if (missed || first) this.options.onGap();
  }

  async #read(body: ReadableStream<Uint8Array>, run: AbortController) {
    const asked = this.#cursor;
    let isFirst = true;
    const reader = new SseReader((sent) => {
      const seq = Number(sent.id);
      if (sent.id === undefined || !Number.isSafeInteger(seq)) return;
      if (isFirst && asked !== null && seq <= asked) {
        // The server never repeats what we have: it does not know our number, so a backup was put back under it.
        this.#cursor = null;
        this.options.onGap();
      }
      isFirst = false;
      if (this.#cursor !== null && seq <= this.#cursor) return;
      this.#cursor = seq;
      this.options.onEvent(JSON.parse(sent.data) as ServerEvent);
    });
    const chunks = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    const ended = new Promise<{ done: true; value: undefined }>((resolve) => {
      run.signal.addEventListener('abort', () => resolve({ done: true, value: undefined }));
    });
    for (;;) {
      const { done, value } = await Promise.race([chunks.read(), ended]);
      if (done || run.signal.aborted) {
        void chunks.cancel().catch(() => {});
        return;
      }
      this.#watchFrom(run);
      this.options.onPulse?.();
      reader.push(value);
    }
  }

  #watchFrom(run: AbortController) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => run.abort(), SILENCE_MS);
  }

  #again() {
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    this.#become(this.#failures > OFFLINE_AFTER ? 'offline' : 'reconnecting');
    // Many pages that lost one server must not come back at one moment.
    const spread = wait * (0.5 + 0.5 * (this.options.random ?? Math.random)());
    this.#timer = setTimeout(() => void this.#connect(), spread);
  }

  #become(state: Connection) {
    if (state === this.#state) return;
    this.#state = state;
    this.options.onConnection?.(state);
  }
}
