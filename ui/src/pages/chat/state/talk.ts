import type { ChatMode, ChatUsage, Decided, Effects, Feedback, GrantRow, RunRow } from '@/api/types/chat';

/** Where a call is, as people read it. */
export type CallState =
  | 'waiting'
  | 'ready'
  | 'running'
  | 'executed'
  | 'failed'
  | 'denied'
  | 'cancelled'
  | 'expired'
  | 'unknown';

export interface Call {
  id: string;
  message: string;
  /** Its place in the message. */
  place: number;
  tool: string;
  args: unknown;
  digest: string;
  state: CallState;
  scope?: string;
  effects?: Effects;
  /** What the tool gave, as the model was told it. */
  result?: string;
  /** What was left out of it, if that is known. */
  cut?: boolean;
  decided?: Decided;
  expiresAt?: string;
  startedAt?: string;
  endedAt?: string;
}

export interface Message {
  id: string;
  /** Later messages have larger numbers. */
  order: number;
  role: 'user' | 'assistant' | 'note';
  state: 'queued' | 'complete' | 'interrupted';
  text: string;
  reasoning: string;
  run?: string;
  model?: string;
  /** It was said after a person decided. */
  afterDecision: boolean;
  /** Tokens that were written, where only they are known. */
  tokens?: number;
  usage?: ChatUsage;
  feedback?: Feedback;
  /** How its run ended, where lists tell it. */
  ended?: Ended;
  createdAt: string;
}

/** Ends of a run after which it may go on. */
export type Ended = 'stopped' | 'failed' | 'limit_reached';

/** The answer that is being written. */
export interface Unfinished {
  message: string;
  run: string;
  text: string;
  reasoning: string;
  /** Tools that it calls. */
  calls: string[];
}

/**
 * A conversation as far as this page knows it.
 *
 * Invariant: one message per message id, one call per call id, whatever was heard twice, late or in pieces; of each the row of
 * the newest event.
 */
export interface Talk {
  /** Number of the last event that is in it. */
  seq: number;
  messages: ReadonlyMap<string, Message>;
  calls: ReadonlyMap<string, Call>;
  runs: ReadonlyMap<string, RunRow>;
  /** Grants that were heard of since; the list of all is asked for. */
  grants: ReadonlyMap<string, GrantRow>;
  /** There are messages before the first one here. */
  earlier: boolean;
  unfinished: Unfinished | null;
  /** How far running calls are. */
  progress: ReadonlyMap<string, unknown>;
  retrying: { attempt: number; afterS: number; why: string } | null;
  /** What rules that are only watched would have said, by call. */
  shadow: ReadonlyMap<string, string>;
  /** The model is not told messages before this moment any more. */
  compactedAt: string | null;
  title?: string;
  mode?: ChatMode;
  deleted: boolean;
}

export const NO_TALK: Talk = {
  seq: 0,
  messages: new Map(),
  calls: new Map(),
  runs: new Map(),
  grants: new Map(),
  earlier: false,
  unfinished: null,
  progress: new Map(),
  retrying: null,
  shadow: new Map(),
  compactedAt: null,
  deleted: false,
};

/** Whether nothing more happens in a run. */
export function isOver(run: RunRow): boolean {
  return ['completed', 'failed', 'stopped', 'limit_reached'].includes(run.state);
}

/** Whether a call has its end. */
export function isSettled(call: Call): boolean {
  return !['waiting', 'ready', 'running'].includes(call.state);
}

/** The run that is under way. */
export function liveRun(talk: Talk): RunRow | undefined {
  for (const run of talk.runs.values()) if (!isOver(run)) return run;
  return undefined;
}
