import type { CallRow, Decided, MessageItem, MessageRow, ToolCallCard } from '@/api/types/chat';
import { readResult } from './result';
import type { Call, CallState, Ended, Message } from './talk';

/** A message of a list of messages, which tells no place: `order` is given. */
export function messageOfItem(item: MessageItem, order: number): Message {
  return {
    id: item.id,
    order,
    role: item.role,
    state: item.state,
    text: item.content,
    reasoning: item.reasoning ?? '',
    run: item.message_metadata.run ?? undefined,
    model: item.message_metadata.model ?? undefined,
    afterDecision: item.message_metadata.post_authorization === true,
    tokens: item.token_count ?? undefined,
    feedback: item.feedback ?? undefined,
    ended: ENDED[item.message_metadata.termination_reason ?? ''],
    createdAt: item.created_at,
  };
}

const ENDED: Record<string, Ended> = { stopped: 'stopped', error: 'failed', max_iterations: 'limit_reached' };

export function messageOfRow(row: MessageRow, order: number): Message {
  return {
    id: row.id,
    order,
    role: row.role,
    state: row.state,
    text: row.text,
    reasoning: row.reasoning ?? '',
    run: row.run,
    model: row.model,
    afterDecision: row.post_authorization === true,
    tokens: row.usage && !row.usage.untold ? row.usage.output_tokens : undefined,
    usage: row.usage,
    feedback: row.feedback,
    createdAt: row.created_at,
  };
}

export function callOfCard(card: ToolCallCard, message: string, place: number): Call {
  return {
    id: card.id,
    message,
    place,
    tool: card.tool_name,
    args: card.args,
    digest: card.args_digest,
    state: stateOfCard(card),
    scope: card.auth_scope ?? undefined,
    effects: card.effects ?? undefined,
    result: card.result ?? undefined,
    decided: card.decided ?? undefined,
    expiresAt: card.expires_at ?? undefined,
  };
}

export function callOfRow(row: CallRow): Call {
  return {
    id: row.id,
    message: row.message,
    place: row.place,
    tool: row.tool,
    args: argumentsOf(row.arguments),
    digest: row.digest,
    state: stateOfRow(row),
    scope: row.scope,
    effects: row.effects,
    result: row.result?.text,
    cut: row.result?.cut,
    decided: row.decided,
    expiresAt: row.expires_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

/** Arguments as a value; what is no JSON stays text. */
export function argumentsOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function stateOfCard(card: ToolCallCard): CallState {
  switch (card.status) {
    case 'requires_auth':
      return 'waiting';
    case 'pending':
      return 'ready';
    case 'failed':
      return failed(card.result);
    case 'denied':
      return denied(card.decided);
    default:
      return card.status;
  }
}

function stateOfRow(row: CallRow): CallState {
  switch (row.state) {
    case 'awaiting_authorization':
      return 'waiting';
    case 'unknown_outcome':
      return 'unknown';
    case 'succeeded':
      return 'executed';
    case 'failed':
      return failed(row.result?.text);
    case 'denied':
      return denied(row.decided);
    default:
      return row.state;
  }
}

/** A call whose doer died is written down as failed; whether it was done is not known. */
function failed(result: string | null | undefined): CallState {
  return result && readResult(result).error?.code === 'unknown_outcome' ? 'unknown' : 'failed';
}

function denied(decided: Decided | null | undefined): CallState {
  return decided?.via === 'expiry' ? 'expired' : 'denied';
}
