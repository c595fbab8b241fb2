import type { Capabilities, WorkerItem } from '@/api/types';
import { bytes } from '@/format';
import { workers as text } from '@/text/workers';

/** A worker as people call it: its name where it has one, else its process. */
export function workerName(worker: WorkerItem & { name?: string | null }): string {
  return worker.name || text.process(worker.pid, worker.host);
}

/** GPUs by model and memory: `2 × NVIDIA H100 80GB HBM3, 79.6 GiB`. */
export function gpuSummary(gpus: Capabilities['gpus']): string[] {
  const counts = new Map<string, { n: number; model: string; memory: string }>();
  for (const { model = '?', memory_mib = 0 } of gpus ?? []) {
    const key = `${model} ${memory_mib}`;
    const found = counts.get(key) ?? { n: 0, model, memory: bytes(memory_mib * 1024 * 1024) };
    found.n += 1;
    counts.set(key, found);
  }
  return [...counts.values()].map(({ n, model, memory }) => text.gpuOf(n, model, memory));
}
