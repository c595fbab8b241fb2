import type { ChatEvent, LiveEvent, MessageList } from '@/api/types/chat';
import { SseReader } from '@/events/sse';
import { heard, loaded, told } from './reduce';
import { NO_TALK, type Talk } from './talk';

export interface FollowOptions {
  /** The last messages, as many as are wanted. */
  load: (limit: number, signal: AbortSignal) => Promise<MessageList>;
  /** The events after a number. */
  open: (after: number, signal: AbortSignal) => Promise<Response>;
  /** Something that is kept of the conversation changed. */
  onKept?: (event: ChatEvent) => void;
  random?: () => number;
}

/** A silent stream is told to live every 15 s; after three of them missing it is dead. */
const SILENCE_MS = 45_000;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 10_000;
/** How often pieces of an answer are drawn at most. */
const DRAW_MS = 50;
export const PAGE = 50;
export const MOST = 500;

/** A conversation with how well it is known. */
export interface Followed {
  talk: Talk;
  state: 'loading' | 'there' | 'failed';
  error: unknown;
  /** Whether the stream is open now. */
  live: boolean;
}

/**
 * Loads a conversation and follows it, whatever breaks.
 *
 * Invariant: what is shown is what the server keeps: a break is caught up from the number of the last event, and where that is
 * not possible everything is loaded anew.
 */
export class Follower {
  /** What is shown. */
  #now: Followed = { talk: NO_TALK, state: 'loading', error: null, live: false };
  /** What is known: pieces of answers are shown a moment later. */
  #talk: Talk = NO_TALK;
  #isLoaded = false;
  #limit = PAGE;
  #failures = 0;
  #run: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  #hurry: (() => void) | null = null;
  #draw: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly options: FollowOptions) {}

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): Followed => this.#now;

  start() {
    if (this.#run) return;
    const run = new AbortController();
    this.#run = run;
    void this.#work(run);
  }

  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    clearTimeout(this.#draw);
    this.#draw = undefined;
    this.#run?.abort();
    this.#run = null;
  }

  /** Tries again now, where it waits for its next try. */
  hurry() {
    this.#hurry?.();
  }

  /** Loads everything anew. */
  again() {
    this.stop();
    if (this.#now.state === 'failed') this.#change({ state: 'loading', error: null });
    this.#isLoaded = false;
    this.start();
  }

  /** Shows earlier messages too. */
  earlier() {
    this.#limit = Math.min(MOST, this.#limit * 4);
    this.again();
  }

  get atMost(): boolean {
    return this.#limit >= MOST;
  }

  async #work(run: AbortController) {
    while (!run.signal.aborted) {
      try {
        if (!this.#isLoaded) await this.#load(run.signal);
        await this.#follow(run);
      } catch (error) {
        if (run.signal.aborted) return;
        if (isFinal(error)) {
          this.#change({ state: this.#now.state === 'there' ? 'there' : 'failed', error, live: false });
          this.#run = null;
          return;
        }
        if (this.#now.state !== 'there') this.#change({ error });
      }
      if (run.signal.aborted) return;
      if (this.#now.live) this.#change({ live: false });
      await this.#wait(run.signal);
    }
  }

  async #load(signal: AbortSignal) {
    const list = await this.options.load(this.#limit, signal);
    if (signal.aborted) return;
    this.#isLoaded = true;
    this.#talk = loaded(list, this.#talk);
    this.#change({ state: 'there', error: null });
  }

  /** Reads events until the stream ends. */
  async #follow(run: AbortController) {
    const connection = new AbortController();
    const end = () => connection.abort();
    run.signal.addEventListener('abort', end);
    const watch = () => {
      clearTimeout(this.#watch);
      this.#watch = setTimeout(end, SILENCE_MS);
    };
    try {
      watch();
      const asked = this.#talk.seq;
      const response = await this.options.open(asked, connection.signal);
      if (!response.body) return;
      this.#failures = 0;
      this.#change({ live: true });
      let first = true;
      const reader = new SseReader((sent) => {
        if (run.signal.aborted) return;
        if (sent.id === undefined) return this.#told(JSON.parse(sent.data) as LiveEvent);
        const event = JSON.parse(sent.data) as ChatEvent;
        // The server never repeats what we have: it does not know our number, so a backup was put back under it.
        if (first && event.seq <= asked) {
          this.#isLoaded = false;
          return end();
        }
        first = false;
        this.#heard(event);
      });
      const decoder = new TextDecoder();
      const chunks = response.body.getReader();
      const ended = new Promise<{ done: true; value: undefined }>((resolve) => {
        connection.signal.addEventListener('abort', () => resolve({ done: true, value: undefined }));
      });
      for (;;) {
        const { done, value } = await Promise.race([chunks.read(), ended]);
        if (done) {
          void chunks.cancel().catch(() => {});
          return;
        }
        watch();
        reader.push(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(this.#watch);
      run.signal.removeEventListener('abort', end);
      connection.abort();
    }
  }

  #heard(event: ChatEvent) {
    const talk = heard(this.#talk, event);
    if (talk === this.#talk) return;
    this.#talk = talk;
    this.#change({});
    this.options.onKept?.(event);
  }

  /** Pieces come in hundreds a second; people see twenty pictures of them. */
  #told(event: LiveEvent) {
    const talk = told(this.#talk, event);
    if (talk === this.#talk) return;
    this.#talk = talk;
    this.#draw ??= setTimeout(() => this.#change({}), DRAW_MS);
  }

  #change(change: Partial<Followed>) {
    clearTimeout(this.#draw);
    this.#draw = undefined;
    this.#now = { ...this.#now, ...change, talk: this.#talk };
    for (const listener of this.#listeners) listener();
  }

  #wait(signal: AbortSignal): Promise<void> {
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.#failures, LONGEST_WAIT_MS);
    this.#failures += 1;
    // Many pages that lost one server must not come back at one moment.
    const spread = wait * (0.5 + 0.5 * (this.options.random ?? Math.random)());
    return new Promise((resolve) => {
      this.#hurry = resolve;
      this.#timer = setTimeout(resolve, spread);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

/** Whether asking again is of no use: it is gone, or we may not see it. */
function isFinal(error: unknown): boolean {
  const status = (error as { status?: number } | null)?.status;
  return status === 401 || status === 403 || status === 404;
}
