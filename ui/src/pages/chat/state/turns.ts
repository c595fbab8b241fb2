import { type Call, type Ended, isOver, isSettled, liveRun, type Message, type Talk } from './talk';

/** What stands below each other in an answer. */
export type Part =
  | { kind: 'text'; message: Message }
  | { kind: 'note'; message: Message }
  /** A call that changes something, or shows something: it has a card of its own. */
  | { kind: 'card'; call: Call }
  /** Calls that only look, one after the other. */
  | { kind: 'looks'; key: string; calls: Call[] };

/** What a person said, and what came of it. */
export interface Turn {
  key: string;
  user?: Message;
  parts: Part[];
  /** The words that end it, once they are all said. */
  last?: Message;
  /** Tokens that its answers were. */
  tokens: number;
  steps: number;
}

/** Messages in order. */
export function inOrder(talk: Talk): Message[] {
  return [...talk.messages.values()].sort((a, b) => a.order - b.order);
}

/** A conversation as turns. What is queued is not in them: nobody has answered it yet. */
export function turnsOf(talk: Talk): Turn[] {
  const calls = byMessage(talk);
  const turns: Turn[] = [];
  for (const message of inOrder(talk)) {
    if (message.state === 'queued') continue;
    if (message.role === 'user') {
      turns.push({ key: message.id, user: message, parts: [], tokens: 0, steps: 0 });
      continue;
    }
    let turn = turns.at(-1);
    if (!turn) {
      turn = { key: `before ${message.id}`, parts: [], tokens: 0, steps: 0 };
      turns.push(turn);
    }
    add(turn, message, calls.get(message.id) ?? []);
  }
  return turns;
}

/** What was said while the model was at work, in order. */
export function queuedOf(talk: Talk): Message[] {
  return inOrder(talk).filter((message) => message.state === 'queued');
}

function byMessage(talk: Talk): Map<string, Call[]> {
  const found = new Map<string, Call[]>();
  for (const call of talk.calls.values()) {
    const those = found.get(call.message);
    if (those) those.push(call);
    else found.set(call.message, [call]);
  }
  for (const those of found.values()) those.sort((a, b) => a.place - b.place);
  return found;
}

function add(turn: Turn, message: Message, calls: Call[]) {
  if (message.role === 'note') {
    turn.parts.push({ kind: 'note', message });
    return;
  }
  turn.steps += 1;
  turn.tokens += message.tokens ?? 0;
  if (message.text.trim() !== '' || message.reasoning !== '' || calls.length === 0) {
    turn.parts.push({ kind: 'text', message });
  }
  turn.last = calls.length === 0 ? message : undefined;
  for (const call of calls) {
    const before = turn.parts.at(-1);
    if (hasCard(call)) turn.parts.push({ kind: 'card', call });
    else if (before?.kind === 'looks') before.calls.push(call);
    else turn.parts.push({ kind: 'looks', key: call.id, calls: [call] });
  }
}

/** Whether people must see a call by itself: it needs leave, or it is something to look at. */
export function hasCard(call: Call): boolean {
  return call.scope !== undefined || call.state === 'waiting' || isChart(call);
}

/** A call that shows a plot. */
export function isChart(call: Call): boolean {
  return call.tool === 'show_chart' && call.state === 'executed';
}

/** How the last run ended, where it did not come to its end: as it was heard, or as what is there tells. */
export function endOf(talk: Talk): { ended: Ended; by?: string } | null {
  if (liveRun(talk)) return null;
  const run = [...talk.runs.values()].findLast(isOver);
  if (run) {
    const { state } = run;
    return state === 'stopped' || state === 'failed' || state === 'limit_reached'
      ? { ended: state, by: run.stop?.by }
      : null;
  }
  const last = inOrder(talk).at(-1);
  if (!last) return null;
  if (last.role === 'note') return { ended: 'failed' };
  // Nobody answered, and nobody is going to.
  if (last.role === 'user') return { ended: 'stopped' };
  return last.ended ? { ended: last.ended } : null;
}

/** Calls of a turn that wait for a person. */
export function waitingCalls(talk: Talk): Call[] {
  return [...talk.calls.values()].filter((call) => call.state === 'waiting');
}

/** Names of tools with how often each was called: `get_task ×2, list_tasks`. */
export function toolCounts(calls: readonly Call[]): [tool: string, times: number][] {
  const counts = new Map<string, number>();
  for (const { tool } of calls) counts.set(tool, (counts.get(tool) ?? 0) + 1);
  return [...counts];
}

/** Whether calls may be folded: all have ended, and as they should. */
export function mayFold(calls: readonly Call[]): boolean {
  return calls.length > 1 && calls.every((call) => isSettled(call));
}
