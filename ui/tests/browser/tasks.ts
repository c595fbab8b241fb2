import type { TaskDetail, TaskItem } from '@/api/types';
import { type Service, until } from './service';

export interface Simulated {
  name: string;
  experiments?: number;
  /** More lines of the task file. */
  more?: string;
}

/** A task on the simulated engine: many figures in about a second, without an engine. */
export function simulatedTask({ name, experiments = 12, more = '' }: Simulated): string {
  return `name: ${name}
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: a100-40g}}
backend: {kind: virtual}
search_space:
  parameters:
    max-num-seqs: [16, 32, 64, 128, 256]
    max-num-batched-tokens: [1024, 2048, 4096, 8192]
    gpu-memory-utilization: [0.8, 0.85, 0.9, 0.95]
    enable-prefix-caching: bool
workload: {scenario: "N(480,240)/(300,150)"}
load: {levels: [{concurrency: 8}, {concurrency: 48}], requests: 100}
slos: [{metric: ttft, stat: p99, max_ms: 1500}]
budget: {experiments: ${experiments}}
${more}`;
}

export function createTask(service: Service, document: string): Promise<TaskItem> {
  return service.request('POST', '/api/tasks', document);
}

export function taskEnd(service: Service, id: string, limitMs = 90_000): Promise<TaskDetail> {
  return until(
    `the end of task ${id}`,
    async () => {
      const task = await service.request<TaskDetail>('GET', `/api/tasks/${id}`);
      return ['completed', 'failed', 'cancelled'].includes(task.status) ? task : null;
    },
    limitMs,
  );
}

/** Makes a task, runs it, and waits for its end. */
export async function runTask(service: Service, wanted: Simulated): Promise<TaskDetail> {
  const { id } = await createTask(service, simulatedTask(wanted));
  await service.request('POST', `/api/tasks/${id}/start`);
  return taskEnd(service, id);
}
