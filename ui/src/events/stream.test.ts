import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Connection, EventStream, SILENCE_MS } from './stream';
import type { ServerEvent } from './types';

/** A server that keeps events 1..n and breaks off when told. */
class Server {
  events: number[] = [];
  asked: (number | null)[] = [];
  fails = false;
  status = 200;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #encoder = new TextEncoder();

  open = async (after: number | null, signal: AbortSignal): Promise<Response> => {
    this.asked.push(after);
    if (this.fails) throw new TypeError('connection refused');
    if (this.status !== 200) return new Response('{}', { status: this.status });
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        signal.addEventListener('abort', () => this.end());
        // As the server: a number that it has not given yet is of another database.
        const newest = this.events.at(-1) ?? 0;
        const from = after === null ? newest : after > newest ? 0 : after;
        for (const seq of this.events.filter((seq) => seq > from)) this.tell(seq);
      },
    });
    return new Response(body);
  };

  raw(text: string) {
    this.#controller?.enqueue(this.#encoder.encode(text));
  }

  tell(seq: number) {
    this.raw(`id: ${seq}\ndata: {"seq":${seq},"kind":"note"}\n\n`);
  }

  happen(...seqs: number[]) {
    for (const seq of seqs) {
      this.events.push(seq);
      this.tell(seq);
    }
  }

  /** What happens while nobody is connected. */
  unheard(...seqs: number[]) {
    this.events.push(...seqs);
  }

  end() {
    try {
      this.#controller?.close();
    } catch {
      // It was closed before.
    }
    this.#controller = null;
  }
}

let server: Server;
let stream: EventStream;
let heard: number[];
let states: Connection[];
let gaps: number;

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  heard = [];
  states = [];
  gaps = 0;
  stream = new EventStream({
    open: server.open,
    onEvent: (event: ServerEvent) => heard.push(event.seq),
    onGap: () => {
      gaps += 1;
    },
    onConnection: (state) => states.push(state),
    random: () => 1,
  });
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('the event stream', () => {
  test('gives what happens, in order', async () => {
    stream.start();
    await pass(1);
    server.happen(1, 2, 3);
    await pass(1);
    expect(heard).toEqual([1, 2, 3]);
    expect(states).toEqual(['online']);
  });

  test('comes back with the last number, and nothing is lost or doubled', async () => {
    stream.start();
    await pass(1);
    server.happen(1, 2);
    await pass(1);
    server.end();
    await pass(1);
    server.unheard(3, 4);
    await pass(600);
    server.happen(5);
    await pass(1);
    expect(server.asked).toEqual([null, 2]);
    expect(heard).toEqual([1, 2, 3, 4, 5]);
    expect(states).toEqual(['online', 'reconnecting', 'online']);
    expect(gaps, 'only at the very beginning').toBe(1);
  });

  test('drops what a server repeats', async () => {
    stream.start();
    await pass(1);
    server.happen(1, 2);
    server.tell(2);
    server.tell(1);
    server.happen(3);
    await pass(1);
    expect(heard).toEqual([1, 2, 3]);
  });

  test('reads events that are cut anywhere', async () => {
    stream.start();
    await pass(1);
    for (const char of 'id: 7\r\ndata: {"seq":7,\r\ndata: "kind":"note"}\r\n\r\n') {
      server.raw(char);
      await pass(0);
    }
    await pass(1);
    expect(heard).toEqual([7]);
  });

  test('says that something may be missing when it broke off before the first event', async () => {
    stream.start();
    await pass(1);
    server.end();
    server.unheard(1, 2);
    await pass(600);
    expect(server.asked).toEqual([null, null]);
    expect(gaps).toBe(2);
    server.happen(3);
    await pass(1);
    expect(heard).toEqual([3]);
  });

  test('begins anew with a database that a backup was put back into', async () => {
    stream.start();
    await pass(1);
    server.happen(10, 11, 12);
    await pass(1);
    server.events = [1, 2];
    server.end();
    await pass(600);
    server.happen(3);
    await pass(1);
    expect(heard).toEqual([10, 11, 12, 1, 2, 3]);
    expect(gaps).toBe(2);
  });

  test('waits longer each time, is offline, and comes back', async () => {
    server.fails = true;
    stream.start();
    await pass(0);
    expect(states).toEqual(['reconnecting']);
    await pass(500 + 1000);
    expect(states).toEqual(['reconnecting', 'offline']);
    await pass(60_000);
    const tries = server.asked.length;
    expect(tries).toBeLessThan(12);
    server.fails = false;
    await pass(15_001);
    expect(states.at(-1)).toBe('online');
  });

  test('can be told to try now', async () => {
    server.fails = true;
    stream.start();
    await pass(40_000);
    server.fails = false;
    stream.hurry();
    await pass(1);
    expect(stream.state).toBe('online');
  });

  test('takes a silent stream for dead, and heartbeats for life', async () => {
    stream.start();
    await pass(1);
    server.happen(1);
    for (let n = 0; n < 8; n++) {
      await pass(15_000);
      server.raw(':\n\n');
    }
    await pass(1);
    expect(server.asked).toHaveLength(1);
    await pass(SILENCE_MS + 1);
    server.unheard(2);
    await pass(600);
    expect(server.asked).toEqual([null, 1]);
    expect(heard).toEqual([1, 2]);
  });

  test('does not insist where it may not follow', async () => {
    server.status = 403;
    stream.start();
    await pass(120_000);
    expect(server.asked).toHaveLength(1);
    expect(stream.state).toBe('refused');
  });

  test('goes on where it was after a rest', async () => {
    stream.start();
    await pass(1);
    server.happen(1);
    await pass(1);
    stream.stop();
    await pass(100_000);
    server.unheard(2, 3);
    stream.start();
    await pass(1);
    expect(heard).toEqual([1, 2, 3]);
  });

  test('loses nothing wherever the connection breaks', async () => {
    stream.start();
    await pass(1);
    const all: number[] = [];
    for (let seq = 1; seq <= 60; seq++) {
      all.push(seq);
      if (seq % 7 === 0) {
        server.end();
        server.unheard(seq);
        await pass(20_000);
      } else if (seq % 5 === 0) {
        server.events.push(seq);
        server.raw(`id: ${seq}\ndata: {"seq":${seq},`);
        server.end();
        await pass(20_000);
      } else server.happen(seq);
    }
    await pass(20_000);
    expect(heard).toEqual(all);
  });
});
