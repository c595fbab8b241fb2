/** For tests: a conversation as the server writes it, and its list of messages at any moment. */
import type { CallRow, ChatEvent, MessageItem, MessageList, MessageRow, RunRow, ToolCallCard } from '@/api/types/chat';

const AT = Date.parse('2026-11-28T10:00:00Z');
const USAGE = { input_tokens: 10, cached_tokens: 0, output_tokens: 5, reasoning_tokens: 0, untold: 0 };

export class Script {
  readonly events: ChatEvent[] = [];
  #seq = 10;
  #place = 0;

  #add(event: Omit<ChatEvent, 'seq' | 'at'>) {
    // Other conversations take numbers too.
    this.#seq += 1 + (this.#seq % 3);
    this.events.push({ ...event, seq: this.#seq, at: this.#now() } as ChatEvent);
  }

  #now(): string {
    return new Date(AT + this.#seq * 1000).toISOString();
  }

  message(id: string, role: MessageRow['role'], text: string, more: Partial<MessageRow> = {}): MessageRow {
    const at = this.#now();
    this.#place += 1;
    const row: MessageRow = {
      id,
      role,
      text,
      state: 'complete',
      place: this.#place,
      created_at: at,
      updated_at: at,
      ...more,
    };
    this.#add({ change: 'message', row } as ChatEvent);
    return row;
  }

  changed(row: MessageRow, more: Partial<MessageRow>) {
    this.#add({ change: 'message', row: { ...row, ...more } } as ChatEvent);
  }

  call(id: string, message: string, state: CallRow['state'], more: Partial<CallRow> = {}) {
    const row: CallRow = {
      id,
      message,
      run: 'r1',
      step: 1,
      place: 0,
      tool: 'restart_arq_worker',
      arguments: '{}',
      digest: `d-${id}`,
      state,
      proposed_at: this.#now(),
      ...more,
    };
    this.#add({ change: 'call', row } as ChatEvent);
  }

  run(id: string, state: RunRow['state'], steps = 0) {
    const row: RunRow = { id, state, steps, usage: USAGE, created_at: this.#now() };
    this.#add({ change: 'run', row } as ChatEvent);
  }

  /** A question, two calls of which one needs leave, the leave, and the rest. */
  static whole(): Script {
    const s = new Script();
    s.run('r1', 'queued');
    s.message('m1', 'user', 'restart it', { run: 'r1' });
    s.run('r1', 'thinking');
    s.message('m2', 'assistant', 'Let me look.', { run: 'r1', usage: USAGE });
    s.call('c1', 'm2', 'ready', { tool: 'get_arq_worker_status' });
    s.run('r1', 'acting', 1);
    s.call('c1', 'm2', 'running', { tool: 'get_arq_worker_status' });
    s.call('c1', 'm2', 'succeeded', { tool: 'get_arq_worker_status', result: done('{"running":true}') });
    s.run('r1', 'thinking', 1);
    s.message('m3', 'assistant', '', { run: 'r1', usage: USAGE });
    s.call('c2', 'm3', 'awaiting_authorization', { scope: 'arq_control', step: 2 });
    s.call('c3', 'm3', 'ready', { tool: 'list_arq_jobs', step: 2, place: 1 });
    s.call('c3', 'm3', 'succeeded', { tool: 'list_arq_jobs', step: 2, place: 1, result: done('{}') });
    s.run('r1', 'awaiting_authorization', 2);
    const queued = s.message('m4', 'user', 'and hurry', { state: 'queued' });
    s.call('c2', 'm3', 'ready', { scope: 'arq_control', step: 2 });
    s.run('r1', 'acting', 2);
    s.call('c2', 'm3', 'running', { scope: 'arq_control', step: 2 });
    s.call('c2', 'm3', 'succeeded', { scope: 'arq_control', step: 2, result: done('{"new_pid":2}') });
    s.run('r1', 'thinking', 2);
    s.changed(queued, { state: 'complete', run: 'r1' });
    s.message('m5', 'assistant', 'It runs again.', { run: 'r1', usage: USAGE, post_authorization: true });
    s.run('r1', 'completed', 3);
    return s;
  }

  /** What the server lists after the first `count` events. */
  listAfter(count: number, limit = 50): MessageList {
    const messages = new Map<string, MessageRow>();
    const calls = new Map<string, CallRow>();
    const runs = new Map<string, RunRow>();
    for (const event of this.events.slice(0, count)) {
      if (event.change === 'message') messages.set(event.row.id, event.row);
      else if (event.change === 'call') calls.set(event.row.id, event.row);
      else if (event.change === 'run') runs.set(event.row.id, event.row);
    }
    const all = [...messages.values()].sort((a, b) => a.place - b.place);
    const live = [...runs.values()].find((run) => !['completed', 'failed', 'stopped'].includes(run.state));
    return {
      items: all.slice(-limit).map((row) => itemOf(row, [...calls.values()])),
      earlier: all.length > limit,
      run: live ?? null,
      seq: this.events[count - 1]?.seq ?? 0,
    };
  }
}

export function done(result: string): CallRow['result'] {
  const text = `{"success":true,"result":${result}}`;
  return { success: true, text, bytes: text.length };
}

function itemOf(row: MessageRow, calls: CallRow[]): MessageItem {
  const those = calls.filter((call) => call.message === row.id).sort((a, b) => a.place - b.place);
  return {
    id: row.id,
    role: row.role,
    content: row.text,
    state: row.state,
    tool_calls: those.map(cardOf),
    message_metadata: { run: row.run, post_authorization: row.post_authorization },
    token_count: row.usage?.output_tokens ?? null,
    created_at: row.created_at,
  };
}

const STATUS: Record<CallRow['state'], ToolCallCard['status']> = {
  awaiting_authorization: 'requires_auth',
  ready: 'pending',
  running: 'running',
  unknown_outcome: 'running',
  succeeded: 'executed',
  failed: 'failed',
  denied: 'denied',
  cancelled: 'cancelled',
};

function cardOf(row: CallRow): ToolCallCard {
  return {
    id: row.id,
    tool_name: row.tool,
    args: JSON.parse(row.arguments),
    status: STATUS[row.state],
    auth_scope: row.scope ?? null,
    args_digest: row.digest,
    result: row.result?.text ?? null,
    decided: row.decided ?? null,
  };
}
