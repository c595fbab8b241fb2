import { useSyncExternalStore } from 'react';
import { say } from '@/api/chat';
import { asApiError } from '@/api/error';
import { newKey } from '@/api/key';

/** Something that was said and has not come back over the stream. */
export interface Sending {
  key: string;
  session: string;
  text: string;
  /** Its message, once the server has it. */
  id?: string;
  /** Why it was not sent. */
  error?: string;
}

let all: readonly Sending[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Sending[]) {
  all = next;
  for (const listener of listeners) listener();
}

function update(key: string, more: Partial<Sending>) {
  change(all.map((one) => (one.key === key ? { ...one, ...more } : one)));
}

/** Says something, wherever the page goes meanwhile. Tried again it is the same wish, and is said once. */
export async function sendMessage(session: string, text: string, again?: string) {
  const key = again ?? newKey();
  if (again) update(key, { error: undefined });
  else change([...all, { key, session, text }]);
  try {
    update(key, { id: await say(session, text, key) });
  } catch (thrown) {
    const error = asApiError(thrown);
    update(key, { error: error.hint ? `${error.message}. ${error.hint}` : error.message });
  }
}

/** It came back, or nobody wants it sent any more. */
export function settleMessages(keys: readonly string[]) {
  if (keys.length > 0) change(all.filter((one) => !keys.includes(one.key)));
}

export function useOutbox(): readonly Sending[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => all,
  );
}
