import type { ChatEvent, LiveEvent, MessageList, MessageRow } from '@/api/types/chat';
import { callOfCard, callOfRow, messageOfItem, messageOfRow } from './read';
import { type Call, isOver, isSettled, type Message, NO_TALK, type Talk } from './talk';

/** A conversation as a list of messages has it. What is being written is kept: the stream tells of its end. */
export function loaded(list: MessageList, before: Talk = NO_TALK): Talk {
  const messages = new Map<string, Message>();
  const calls = new Map<string, Call>();
  for (const [index, item] of list.items.entries()) {
    // Before every place that an event may tell.
    messages.set(item.id, messageOfItem(item, index - list.items.length));
    for (const [place, card] of item.tool_calls.entries()) calls.set(card.id, callOfCard(card, item.id, place));
  }
  const unfinished = before.unfinished && !messages.has(before.unfinished.message) ? before.unfinished : null;
  const runs = list.run ? new Map([[list.run.id, list.run]]) : new Map();
  const { earlier, seq } = list;
  const { grants, progress, shadow, compactedAt } = before;
  return { ...NO_TALK, grants, progress, shadow, compactedAt, seq, messages, calls, runs, earlier, unfinished };
}

/** With what an event of the store tells. Each is heard once: one that is in it already changes nothing. */
export function heard(talk: Talk, event: ChatEvent): Talk {
  if (event.seq <= talk.seq) return talk;
  const next = { ...talk, seq: event.seq };
  switch (event.change) {
    case 'session':
      return { ...next, title: event.row.title, mode: event.row.mode };
    case 'deleted':
      return { ...next, deleted: true, unfinished: null };
    case 'message':
      return withMessage(next, event.row);
    case 'run': {
      const runs = put(talk.runs, event.row.id, event.row);
      if (!isOver(event.row)) return { ...next, runs };
      // What was not whole when its run ended never will be.
      const unfinished = talk.unfinished?.run === event.row.id ? null : talk.unfinished;
      return { ...next, runs, unfinished, retrying: null };
    }
    case 'call': {
      const call = callOfRow(event.row);
      const progress = isSettled(call) && talk.progress.has(call.id) ? without(talk.progress, call.id) : talk.progress;
      return { ...next, calls: put(talk.calls, call.id, call), progress };
    }
    case 'grant':
      return { ...next, grants: put(talk.grants, event.row.id, event.row) };
    case 'shadow':
      return { ...next, shadow: put(talk.shadow, event.call, event.said) };
    case 'compacted':
      return { ...next, compactedAt: event.at };
    default:
      return next;
  }
}

function withMessage(talk: Talk, row: MessageRow): Talk {
  const known = talk.messages.get(row.id);
  if (!known && talk.earlier && isBefore(talk, row)) return talk;
  const message = messageOfRow(row, known?.order ?? row.place);
  const unfinished = talk.unfinished?.message === row.id ? null : talk.unfinished;
  const retrying = row.role === 'assistant' ? null : talk.retrying;
  return { ...talk, messages: put(talk.messages, row.id, message), unfinished, retrying };
}

/** Whether a message is one of those that were not loaded. */
function isBefore(talk: Talk, row: MessageRow): boolean {
  let first: Message | undefined;
  for (const message of talk.messages.values()) if (!first || message.order < first.order) first = message;
  return first !== undefined && Date.parse(row.created_at) < Date.parse(first.createdAt);
}

/**
 * With what is only told. A snapshot is all there is of the unfinished answer; pieces of another answer than that one, and
 * pieces of one that is whole already, came too late.
 */
export function told(talk: Talk, event: LiveEvent): Talk {
  if (event.type === 'snapshot') {
    const { message, run = '', text = '', reasoning = '', calls = [] } = event;
    if (message === undefined || talk.messages.has(message)) {
      return talk.unfinished === null ? talk : { ...talk, unfinished: null };
    }
    return { ...talk, unfinished: { message, run, text, reasoning, calls } };
  }
  if (event.type === 'retrying') {
    return { ...talk, retrying: { attempt: event.attempt, afterS: event.after_s, why: event.why } };
  }
  if (event.type === 'progress') {
    const call = talk.calls.get(event.call);
    if (call && isSettled(call)) return talk;
    return { ...talk, progress: put(talk.progress, event.call, event.progress) };
  }
  const now = talk.unfinished;
  if (!now || now.message !== event.message) return talk;
  switch (event.type) {
    case 'delta':
      return { ...talk, unfinished: { ...now, text: now.text + event.text }, retrying: null };
    case 'reasoning_delta':
      return { ...talk, unfinished: { ...now, reasoning: now.reasoning + event.text }, retrying: null };
    case 'calling':
      return { ...talk, unfinished: { ...now, calls: [...now.calls, event.tool] }, retrying: null };
    default:
      return talk;
  }
}

function put<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const next = new Map(map);
  next.delete(key);
  return next;
}
