import { useSyncExternalStore } from 'react';
import type { Gpu } from '@/api/types';

/** Readings that are kept of each GPU: a quarter of an hour where one comes with each sign of life. */
export const KEPT = 60;

export interface GpuReading {
  at: number;
  utilization: number | null;
  /** Share of its memory. */
  memory: number;
}

export type GpuHistory = ReadonlyMap<string, readonly GpuReading[]>;

/** The readings with one more of each GPU; a reading that is there already is not added again. */
export function withReading(history: GpuHistory, gpus: readonly Gpu[], at: number): GpuHistory {
  const next = new Map(history);
  for (const gpu of gpus) {
    const before = history.get(gpu.uuid) ?? [];
    if (before.some((reading) => reading.at === at)) continue;
    const memory = gpu.memory_total_mib ? gpu.memory_used_mib / gpu.memory_total_mib : 0;
    next.set(gpu.uuid, [...before, { at, utilization: gpu.utilization_percent, memory }].slice(-KEPT));
  }
  return next;
}

let kept: GpuHistory = new Map();
const listeners = new Set<() => void>();

/** Notes what the server said of the GPUs at a moment; it stays while one walks from page to page. */
export function noteGpus(gpus: readonly Gpu[], at: number) {
  kept = withReading(kept, gpus, at);
  for (const listener of listeners) listener();
}

export function useGpuHistory(): GpuHistory {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => kept,
  );
}
