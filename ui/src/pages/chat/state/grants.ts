import type { GrantRow } from '@/api/types/chat';
import type { Talk } from './talk';

/** Whether leave is still given. As `Grant::is_live` in `crates/tuner-policy/src/chat/book.rs`. */
export function isLive(grant: GrantRow, now: number): boolean {
  const { revoked_at, expires_at, limits, uses, calls } = grant;
  if (revoked_at || (expires_at && Date.parse(expires_at) <= now)) return false;
  if (limits.uses !== undefined && uses >= limits.uses) return false;
  return calls === undefined || calls.length > 0;
}

/** When the conversation last read text that others may have written, ms; leave from before that covers nothing more. */
export function readOthersAt(talk: Talk): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const call of talk.calls.values()) {
    if (!call.result?.startsWith('<untrusted ')) continue;
    const at = call.endedAt ?? call.decided?.at ?? talk.messages.get(call.message)?.createdAt;
    if (at) last = Math.max(last, Date.parse(at));
  }
  return last;
}
