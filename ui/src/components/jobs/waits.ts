/** Why a job waits, from what it needs and what the workers have. As `Needs::unmet_by` of `crates/tuner-store/src/jobs/needs.rs`. */
import type { Capabilities, JobItem, WorkerItem } from '@/api/types';
import { bytes } from '@/format';
import { jobs } from '@/text/jobs';

export interface Needs {
  gpus?: number;
  gpu_model?: string;
  gpu_memory_mib?: number;
  backend?: string;
  engine?: string;
  host?: string;
  not_hosts?: string[];
  labels?: Record<string, string>;
}

function gpusInWords(needs: Needs): string {
  const memory = needs.gpu_memory_mib === undefined ? '' : bytes(needs.gpu_memory_mib * 1024 * 1024);
  return jobs.lack.gpus(needs.gpus ?? 0, needs.gpu_model ?? '', memory);
}

function takes(needs: Needs, gpu: NonNullable<Capabilities['gpus']>[number]): boolean {
  const model = needs.gpu_model?.toLowerCase();
  if (model !== undefined && !(gpu.model ?? '').toLowerCase().includes(model)) return false;
  return (gpu.memory_mib ?? 0) >= (needs.gpu_memory_mib ?? 0);
}

/** The first need that a worker's host does not meet, in words; null if it meets all. */
export function unmet(needs: Needs, offer: Capabilities): string | null {
  const { lack } = jobs;
  if (needs.host !== undefined && needs.host !== offer.host) return lack.host(needs.host);
  if (needs.not_hosts?.includes(offer.host ?? '')) return lack.notHosts(needs.not_hosts.join(', '));
  if (needs.backend !== undefined && !offer.backends?.includes(needs.backend)) return lack.backend(needs.backend);
  if (needs.engine !== undefined && !(needs.engine in (offer.engines ?? {}))) return lack.engine(needs.engine);
  for (const [name, value] of Object.entries(needs.labels ?? {})) {
    if (offer.labels?.[name] !== value) return lack.label(name, value);
  }
  const fit = (offer.gpus ?? []).filter((gpu) => takes(needs, gpu)).length;
  return fit < (needs.gpus ?? 0) ? gpusInWords(needs) : null;
}

/** All that a job needs, in words. */
export function needsInWords(needs: Needs): string[] {
  const { lack } = jobs;
  return [
    needs.gpus ? gpusInWords(needs) : '',
    needs.backend === undefined ? '' : lack.backend(needs.backend),
    needs.engine === undefined ? '' : lack.engine(needs.engine),
    needs.host === undefined ? '' : lack.host(needs.host),
    needs.not_hosts?.length ? lack.notHosts(needs.not_hosts.join(', ')) : '',
    ...Object.entries(needs.labels ?? {}).map(([name, value]) => lack.label(name, value)),
  ].filter(Boolean);
}

/** Why a queued job is not under way; `when` words a moment. */
export function waitReason(
  job: Pick<JobItem, 'needs' | 'run_after_at' | 'attempts'>,
  workers: readonly WorkerItem[],
  now: number,
  when: (at: string) => string,
): string {
  const { waits } = jobs;
  if (Date.parse(job.run_after_at) > now + 1000) {
    return job.attempts > 0 ? waits.later(when(job.run_after_at)) : waits.scheduled(when(job.run_after_at));
  }
  const needs = job.needs as Needs;
  const alive = workers.filter((worker) => worker.alive);
  if (alive.length === 0) return waits.nobody;
  const lacks = alive.map((worker) => unmet(needs, worker.capabilities));
  const fit = alive.filter((_, index) => lacks[index] === null);
  if (fit.length === 0) return waits.unfit([...new Set(lacks.filter((lack) => lack !== null))].join(', or '));
  const staying = fit.filter((worker) => worker.asked === 'run');
  if (staying.length === 0) return waits.leaving;
  const free = staying.some((worker) => worker.busy_slots < worker.slots && worker.free_gpus >= (needs.gpus ?? 0));
  return free ? waits.soon : waits.busy;
}
