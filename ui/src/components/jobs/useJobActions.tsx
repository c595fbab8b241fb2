import { useCancelJob, useRetryJob } from '@/api/jobs';
import type { JobItem } from '@/api/types';
import { confirm } from '@/app/confirm';
import { toastError } from '@/app/toasts';
import { jobs } from '@/text/jobs';

export function jobKind(job: Pick<JobItem, 'kind'>): string {
  return jobs.kinds[job.kind] ?? job.kind;
}

export function canCancel(job: JobItem): boolean {
  return job.status === 'queued' || (job.status === 'running' && !job.cancel_requested);
}

export function canRetry(job: JobItem): boolean {
  return job.status === 'dead' || job.status === 'cancelled';
}

/** Stop a job, or have it tried again. Events bring what comes of it. */
export function useJobActions() {
  const cancelling = useCancelJob();
  const retrying = useRetryJob();
  const cancel = async (job: JobItem) => {
    const isTask = job.kind === 'run_task' && job.status === 'running';
    const text = isTask ? jobs.cancelTask : job.status === 'running' ? jobs.cancelRunning : jobs.cancelQueued;
    const wanted = await confirm({ title: jobs.cancelTitle(jobKind(job)), text, action: jobs.cancel, danger: true });
    if (wanted) cancelling.mutate(job.id, { onError: (error) => toastError(error) });
  };
  const retry = (job: JobItem) => retrying.mutate(job.id, { onError: (error) => toastError(error) });
  return { cancel, retry, busy: cancelling.isPending || retrying.isPending };
}
