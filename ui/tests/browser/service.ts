import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** Waits until something holds; fails with `what` after `limitMs`. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  limitMs = 60_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function binary(): string {
  const path = process.env.AUTOTUNER_BIN;
  if (!path) throw new Error('AUTOTUNER_BIN must name the autotuner program');
  return path;
}

/** A service with a data directory of its own. It may be killed and started again. */
export class Service {
  #process: ChildProcess | null = null;
  #log = '';

  private constructor(
    readonly url: string,
    private readonly port: number,
    readonly dataDir: string,
    private readonly options: string[],
  ) {}

  /** `before` is done with the data directory while nothing runs yet. */
  static async start(options: string[] = [], before?: (service: Service) => Promise<unknown>): Promise<Service> {
    const port = await freePort();
    const dataDir = await mkdtemp(join(tmpdir(), 'autotuner-ui-'));
    const service = new Service(`http://127.0.0.1:${port}`, port, dataDir, options);
    await before?.(service);
    await service.run();
    return service;
  }

  /** Starts it, as at first or after `kill`. */
  async run() {
    const args = ['serve', '--listen', `127.0.0.1:${this.port}`, ...this.options];
    const env = { ...process.env, AUTOTUNER_DATA_DIR: this.dataDir };
    const child = spawn(binary(), args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const note = (text: Buffer) => {
      this.#log = (this.#log + text).slice(-20_000);
    };
    child.stdout?.on('data', note);
    child.stderr?.on('data', note);
    await until('the service', async () => {
      if (child.exitCode !== null) throw new Error(`the service ended: ${this.#log}`);
      // A service that wants a token says so: it is there.
      return fetch(`${this.url}/health`).catch(() => null);
    });
  }

  get log(): string {
    return this.#log;
  }

  async #end(signal: NodeJS.Signals) {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Dies as in a power cut. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async stop() {
    await this.#end('SIGTERM');
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  /** Runs the program itself on the same data: `cli('token', 'create', …)`; gives what it says. */
  async cli(...args: string[]): Promise<string> {
    const env = { ...process.env, AUTOTUNER_DATA_DIR: this.dataDir };
    return (await promisify(execFile)(binary(), args, { env })).stdout;
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const isText = typeof body === 'string';
    const headers: Record<string, string> =
      body === undefined ? {} : { 'content-type': isText ? 'application/yaml' : 'application/json' };
    const text = body === undefined ? undefined : isText ? body : JSON.stringify(body);
    const answer = await fetch(this.url + path, { method, headers, body: text });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return (said ? JSON.parse(said) : undefined) as T;
  }
}
