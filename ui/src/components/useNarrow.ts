import { useSyncExternalStore } from 'react';

const query = globalThis.matchMedia?.('(max-width: 719px)');

function watch(listener: () => void): () => void {
  query?.addEventListener('change', listener);
  return () => query?.removeEventListener('change', listener);
}

/** Whether the window is as narrow as a telephone's. */
export function useNarrow(): boolean {
  return useSyncExternalStore(watch, () => query?.matches ?? false);
}
