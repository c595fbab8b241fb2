import { useSyncExternalStore } from 'react';
import { ApiError } from '@/api/error';
import { common } from '@/text/common';

/** Something that needs attention. What merely went well shows where it was done, not here. */
export interface Toast {
  id: number;
  tone: 'info' | 'warn' | 'bad';
  title: string;
  text?: string;
  action?: { label: string; act: () => void };
  /** Stays until it is dismissed. */
  stays?: boolean;
  /** How long it is shown, ms. */
  shownMs?: number;
}

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

export function toast(shown: Omit<Toast, 'id'>): number {
  last += 1;
  const id = last;
  change([...toasts.slice(-4), { ...shown, id }]);
  return id;
}

export function dismissToast(id: number) {
  change(toasts.filter((shown) => shown.id !== id));
}

/** Says that something that a person asked for failed, with the server's words. */
export function toastError(error: unknown, title: string = common.failed) {
  const hint = error instanceof ApiError ? error.hint : undefined;
  const message = error instanceof Error ? error.message : String(error);
  toast({ tone: 'bad', title, text: hint ? `${message}. ${hint}` : message, stays: true });
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
