import { useSyncExternalStore } from 'react';

/**
 * Who we are to the server. The token lives in this tab's session storage only: it is gone with the tab, and no other
 * site can read it.
 */
export interface Session {
  token: string | null;
  /** The server refused us for want of a token, or for a wrong one. */
  refused: 'missing' | 'wrong' | null;
}

const KEY = 'autotuner.token';
const listeners = new Set<() => void>();
let session: Session = { token: stored(), refused: null };

function stored(): string | null {
  try {
    return globalThis.sessionStorage?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}

function change(next: Session) {
  session = next;
  for (const listener of listeners) listener();
}

export function currentSession(): Session {
  return session;
}

export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSession(): Session {
  return useSyncExternalStore(onSession, currentSession);
}

export function signIn(token: string) {
  try {
    globalThis.sessionStorage?.setItem(KEY, token);
  } catch {
    // Without storage the token holds until the page is loaded again.
  }
  change({ token, refused: null });
}

export function signOut() {
  try {
    globalThis.sessionStorage?.removeItem(KEY);
  } catch {
    // Nothing was stored.
  }
  change({ token: null, refused: null });
}

/** The server answered 401 to a request that was sent with `token`. */
export function refuse(token: string | null) {
  if (token !== session.token || session.refused !== null) return;
  change({ token: session.token, refused: token === null ? 'missing' : 'wrong' });
}
