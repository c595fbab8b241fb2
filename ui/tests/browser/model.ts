import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** One answer of the scripted model. */
export interface Turn {
  /** Its text, in the pieces in which it is sent. */
  text?: string | string[];
  reasoning?: string;
  calls?: { name: string; args?: unknown /** Sent as it is. */; raw?: string }[];
  /** Between two pieces. */
  pauseMs?: number;
  /** Says nothing more after the pieces, until the connection is closed or `release()`. */
  hangs?: boolean;
  /** Answers with this status instead. */
  status?: number;
  usage?: { input: number; output: number };
}

interface Said {
  role: string;
  content?: string | null;
}

/** What was asked of the model. */
export interface Asked {
  messages: Said[];
  tools?: { function: { name: string } }[];
}

/**
 * A server that speaks OpenAI's protocol, with a model that says what a test wrote for it. What it answers depends on the
 * last thing that a person said and on how often it has answered since: the same question gets the same answer, whoever
 * asks it and however often.
 */
export class ScriptedModel {
  readonly asked: Asked[] = [];
  /** What it calls conversations. */
  title = 'A title of the model';
  /** Connections that were closed before their answer was whole. */
  cut = 0;
  readonly #scripts: { said: string; turns: Turn[] }[] = [];
  readonly #held = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    readonly baseUrl: string,
  ) {}

  static async start(): Promise<ScriptedModel> {
    let model: ScriptedModel | null = null;
    const server = createServer((request, response) => void model?.answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    model = new ScriptedModel(server, `http://127.0.0.1:${port}/v1`);
    return model;
  }

  /** To whoever says something with `said` in it, the model answers with these turns, one after the other. */
  script(said: string, turns: Turn[]) {
    this.#scripts.unshift({ said, turns });
  }

  /** Lets every answer that hangs end. */
  release() {
    for (const go of this.#held) go();
    this.#held.clear();
  }

  /** The variables that have a service ask this model. */
  variables(): Record<string, string> {
    return { AGENT_PROVIDER: 'local', AGENT_MODEL: 'scripted', AGENT_BASE_URL: this.baseUrl };
  }

  async stop() {
    this.release();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse) {
    if (request.url?.endsWith('/models')) return send(response, 200, { data: [{ id: 'scripted' }] });
    const asked = JSON.parse(await textOf(request)) as Asked;
    this.asked.push(asked);
    const turn = this.#turn(asked);
    if (turn.status !== undefined) return send(response, turn.status, { error: { message: 'scripted to fail' } });
    response.on('close', () => {
      if (!response.writableEnded) this.cut += 1;
    });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of chunks(turn)) {
      if (response.destroyed) return;
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      if (turn.pauseMs) await new Promise((resolve) => setTimeout(resolve, turn.pauseMs));
    }
    if (turn.hangs) {
      await new Promise<void>((resolve) => {
        this.#held.add(resolve);
        response.once('close', resolve);
      });
    }
    if (response.destroyed) return;
    const { input = 1200, output = 40 } = turn.usage ?? {};
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
    response.write(`data: ${JSON.stringify(choice({}, turn.calls?.length ? 'tool_calls' : 'stop'))}\n\n`);
    response.write(`data: ${JSON.stringify({ model: 'scripted', choices: [], usage })}\n\n`);
    response.end('data: [DONE]\n\n');
  }

  #turn(asked: Asked): Turn {
    // A title is asked for without tools.
    if (!asked.tools?.length) return { text: this.title };
    const last = asked.messages.findLastIndex((message) => message.role === 'user');
    const said = asked.messages[last]?.content ?? '';
    const answered = asked.messages.slice(last).filter((message) => message.role === 'assistant').length;
    const script = this.#scripts.find((one) => said.includes(one.said));
    const turn = script?.turns[Math.min(answered, script.turns.length - 1)];
    if (turn && !(answered >= (script?.turns.length ?? 0) && turn.calls)) return turn;
    return { text: `There is no script for ${JSON.stringify(said.slice(0, 80))}.` };
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function choice(delta: unknown, finish: string | null = null) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    model: 'scripted',
    choices: [{ index: 0, delta, finish_reason: finish }],
  };
}

/** The pieces of an answer: arguments of calls are cut after every few letters. */
function* chunks({ text = [], reasoning, calls = [] }: Turn) {
  yield choice({ role: 'assistant', content: '' });
  if (reasoning) for (const piece of pieces(reasoning, 12)) yield choice({ reasoning_content: piece });
  for (const piece of typeof text === 'string' ? pieces(text, 24) : text) yield choice({ content: piece });
  for (const [index, { name }] of calls.entries()) {
    const made = { index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } };
    yield choice({ tool_calls: [made] });
  }
  for (const [index, { args = {}, raw }] of calls.entries()) {
    for (const piece of pieces(raw ?? JSON.stringify(args), 7)) {
      yield choice({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
}

function pieces(text: string, size: number): string[] {
  const letters = [...text];
  const cut: string[] = [];
  for (let at = 0; at < letters.length; at += size) cut.push(letters.slice(at, at + size).join(''));
  return cut;
}
