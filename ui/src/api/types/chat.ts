/** What the document calls `object` in the agent's answers. `crates/tuner-policy/src/chat/book.rs`, `crates/tuner-store/src/chat/row.rs` */

export type ChatMode = 'ask' | 'read_only' | 'unattended';

export type RunState =
  | 'queued'
  | 'thinking'
  | 'acting'
  | 'awaiting_authorization'
  | 'completed'
  | 'failed'
  | 'stopped'
  | 'limit_reached';

export type CallRowState =
  | 'awaiting_authorization'
  | 'ready'
  | 'running'
  | 'unknown_outcome'
  | 'succeeded'
  | 'failed'
  | 'denied'
  | 'cancelled';

export interface ChatUsage {
  input_tokens: number;
  cached_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  /** Answers that told no usage. */
  untold: number;
}

/** How a call was decided. */
export interface Decided {
  allowed: boolean;
  via: 'person' | 'grant' | 'policy' | 'expiry' | 'stop';
  by?: string;
  reason?: string;
  grant?: string;
  /** The arguments that the model had given, where a person gave others. */
  proposed?: string;
  at: string;
}

/** What a call would do. `would` differs from tool to tool. */
export interface Effects {
  summary?: string;
  would?: unknown;
  /** Why it could not be foretold. */
  warning?: string;
}

export interface Feedback {
  good: boolean;
  text?: string;
}

export interface RunRow {
  id: string;
  state: RunState;
  steps: number;
  failure?: string;
  stop?: { by: string; at: string };
  usage: ChatUsage;
  created_at: string;
  ended_at?: string;
}

export interface MessageRow {
  id: string;
  run?: string;
  place: number;
  role: 'user' | 'assistant' | 'note';
  state: 'queued' | 'complete' | 'interrupted';
  text: string;
  reasoning?: string;
  model?: string;
  usage?: ChatUsage;
  post_authorization?: boolean;
  feedback?: Feedback;
  created_at: string;
  updated_at: string;
}

export interface CallRow {
  id: string;
  run: string;
  step: number;
  place: number;
  tool: string;
  scope?: string;
  task?: string;
  /** JSON. */
  arguments: string;
  digest: string;
  state: CallRowState;
  decided?: Decided;
  proposed_at: string;
  expires_at?: string;
  started_at?: string;
  ended_at?: string;
  message: string;
  effects?: Effects;
  result?: { success: boolean; text: string; bytes: number; cut?: boolean; untrusted?: boolean };
}

export interface GrantRow {
  id: string;
  scope: string;
  tool?: string;
  task?: string;
  /** The calls of an approved plan that are left. */
  calls?: string[];
  limits: { uses?: number; experiments?: number; gpu_seconds?: number };
  uses: number;
  spent: { experiments: number; gpu_seconds: number };
  by: string;
  created_at: string;
  expires_at?: string;
  revoked_at?: string;
  /** In lists: whether it is still good. */
  live?: boolean;
}

export interface SessionRow {
  id: string;
  owner: string;
  title: string;
  mode: ChatMode;
  message_count: number;
  updated_at: string;
}

/** What is kept of a conversation, as its stream tells it. `crates/tuner-store/src/chat/event.rs` */
export type ChatEvent = { seq: number; at: string } & (
  | { change: 'session'; row: SessionRow }
  | { change: 'deleted' }
  | { change: 'message'; row: MessageRow }
  | { change: 'run'; row: RunRow }
  | { change: 'call'; row: CallRow }
  | { change: 'grant'; row: GrantRow }
  | { change: 'shadow'; call: string; said: string }
  | { change: 'compacted'; up_to: number; dropped: unknown }
);

/** What is only told. `crates/tuner-agent/src/live.rs` */
export type LiveEvent =
  | { type: 'snapshot'; message?: string; run?: string; text?: string; reasoning?: string; calls?: string[] }
  | { type: 'delta'; message: string; text: string }
  | { type: 'reasoning_delta'; message: string; text: string }
  | { type: 'calling'; message: string; tool: string }
  | { type: 'retrying'; attempt: number; after_s: number; why: string }
  | { type: 'progress'; call: string; progress: unknown };

/** A message as lists of messages have it. `crates/tuner-server/src/routes/agent/card.rs` */
export interface MessageItem {
  id: string;
  role: 'user' | 'assistant' | 'note';
  content: string;
  state: 'queued' | 'complete' | 'interrupted';
  reasoning?: string | null;
  tool_calls: ToolCallCard[];
  message_metadata: {
    run?: string | null;
    model?: string | null;
    post_authorization?: boolean;
    iterations?: number;
    termination_reason?: string;
  };
  token_count?: number | null;
  feedback?: Feedback | null;
  created_at: string;
}

export interface ToolCallCard {
  id: string;
  tool_name: string;
  args: unknown;
  status: 'requires_auth' | 'pending' | 'running' | 'executed' | 'failed' | 'denied' | 'cancelled';
  auth_scope?: string | null;
  auth_scope_text?: string | null;
  args_digest: string;
  effects?: Effects | null;
  result?: string | null;
  error?: string | null;
  expires_at?: string | null;
  decided?: Decided | null;
}

export interface MessageList {
  items: MessageItem[];
  earlier: boolean;
  run?: RunRow | null;
  seq: number;
}

export interface ConversationUsage {
  usage: ChatUsage;
  /** In the money of the prices that were set; null without prices. */
  cost: number | null;
  runs: number;
  model_answers: number;
  tool_calls: number;
}
