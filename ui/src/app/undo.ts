import { useCallback, useSyncExternalStore } from 'react';
import { common } from '@/text/common';
import { shell } from '@/text/shell';
import { dismissToast, toast, toastError } from './toasts';

/** How long a deletion may be undone, ms. */
const UNDO_MS = 6000;

interface Pending {
  run: () => void;
}

const pending = new Map<string, Pending>();
let names: readonly string[] = [];
const listeners = new Set<() => void>();

function tell() {
  names = [...pending.keys()];
  for (const listener of listeners) listener();
}

// A page that is left must not forget what its person was told is deleted.
globalThis.addEventListener?.('pagehide', () => {
  for (const { run } of [...pending.values()]) run();
});

interface Deletion {
  /** Names it in lists: `isPendingDelete`. */
  key: string;
  /** What is deleted, in words: "Task support-chat". */
  what: string;
  /** Sends the request. */
  run: () => Promise<unknown>;
}

/** Deletes after a while in which a person can take it back; nothing is sent before. */
export function deleteUndoably({ key, what, run }: Deletion) {
  if (pending.has(key)) return;
  let shown = 0;
  const settle = () => {
    clearTimeout(timer);
    pending.delete(key);
    dismissToast(shown);
  };
  const send = () => {
    settle();
    // It stays out of the lists until the answer is there; an event then takes it out for good.
    pending.set(key, { run: () => {} });
    run()
      .catch((error) => toastError(error, shell.deleteFailed(what)))
      .finally(() => {
        setTimeout(() => {
          pending.delete(key);
          tell();
        }, 1500);
      });
    tell();
  };
  const timer = setTimeout(send, UNDO_MS);
  const undo = () => {
    settle();
    tell();
  };
  pending.set(key, { run: send });
  shown = toast({
    tone: 'info',
    title: shell.deleted(what),
    action: { label: common.undo, act: undo },
    shownMs: UNDO_MS,
  });
  tell();
}

/** Says of a key whether its deletion is under way, so that lists leave it out. */
export function usePendingDeletes(): (key: string) => boolean {
  const now = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => names,
  );
  return useCallback((key) => now.includes(key), [now]);
}
