import { useEffect, useRef } from 'react';

export interface Draft {
  text: string;
  /** The text that was changed. */
  base: string;
  at: number;
}

const key = (scope: string) => `autotuner.document.${scope}`;

export function readDraft(scope: string): Draft | null {
  try {
    const draft = JSON.parse(localStorage.getItem(key(scope)) ?? 'null') as Draft | null;
    return typeof draft?.text === 'string' ? draft : null;
  } catch {
    return null;
  }
}

export function dropDraft(scope: string) {
  try {
    localStorage.removeItem(key(scope));
  } catch {
    // Nothing was kept.
  }
}

function keep(scope: string, draft: Draft) {
  try {
    localStorage.setItem(key(scope), JSON.stringify(draft));
  } catch {
    // Without storage the person is still asked before they leave.
  }
}

const AFTER_MS = 400;

/** Keeps what is not saved in this browser, also when the page is closed while somebody types. */
export function useDraft(scope: string, text: string, base: string, done: boolean) {
  const isDone = useRef(done);
  isDone.current = done;
  useEffect(() => {
    const write = () => {
      if (isDone.current) return;
      if (text === base) dropDraft(scope);
      else keep(scope, { text, base, at: Date.now() });
    };
    const timer = setTimeout(write, AFTER_MS);
    window.addEventListener('pagehide', write);
    return () => {
      clearTimeout(timer);
      write();
      window.removeEventListener('pagehide', write);
    };
  }, [scope, text, base]);
}
