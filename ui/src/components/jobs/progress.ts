/** How far a job is, as its kind says it: `work/job.rs` of `tuner-app`. */
import type { JobItem } from '@/api/types';
import { bytes } from '@/format';
import { jobs } from '@/text/jobs';

export interface JobProgress {
  text: string;
  /** 0 to 1, where that is known. */
  share?: number;
}

const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

export function jobProgress({ progress }: Pick<JobItem, 'progress'>): JobProgress | null {
  if (!progress) return null;
  const [step, steps] = [number(progress.step), number(progress.steps)];
  if (step !== undefined && steps) {
    return { text: jobs.steps(step, steps, String(progress.does ?? '')), share: Math.max(0, step - 1) / steps };
  }
  const [have, all] = [number(progress.bytes), number(progress.size)];
  if (have !== undefined && all) return { text: jobs.bytes(bytes(have), bytes(all)), share: have / all };
  const experiment = number(progress.experiment);
  if (experiment !== undefined) return { text: jobs.experiment(experiment) };
  if (typeof progress.waiting_for === 'string') return { text: jobs.waitingFor(progress.waiting_for) };
  return { text: JSON.stringify(progress) };
}
