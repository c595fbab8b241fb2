import { useQuery } from '@tanstack/react-query';
import { api, ask, keyed } from './client';
import { keys } from './keys';
import { all } from './page';
import { useAction } from './query';
import type { JobItem, JobStatus, Schemas } from './types';

/** Jobs of the run queue; `most` bounds how many are read. */
export function useJobs(filter: { status?: JobStatus[]; kind?: string[] } = {}, most = 1000) {
  return useQuery({
    queryKey: keys.jobList({ ...filter, most }),
    queryFn: ({ signal }) =>
      all((cursor) => {
        const query = { status: filter.status?.join(), kind: filter.kind?.join(), cursor, limit: 500 };
        return ask(api.GET('/api/jobs', { params: { query }, signal })) as unknown as Promise<{ items: JobItem[] }>;
      }, most),
  });
}

export function useJob(job: string) {
  return useQuery({
    queryKey: keys.job(job),
    queryFn: ({ signal }) =>
      ask(api.GET('/api/jobs/{job}', { params: { path: { job } }, signal })) as unknown as Promise<JobItem>,
    enabled: job !== '',
  });
}

export function useCreateJob() {
  return useAction({
    run: (body: Schemas['JobBody'], key) => ask(api.POST('/api/jobs', { params: { header: keyed(key) }, body })),
  });
}

const of = (job: string, key: string) => ({ path: { job }, header: keyed(key) });

export function useCancelJob() {
  return useAction({ run: (job: string, key) => ask(api.POST('/api/jobs/{job}/cancel', { params: of(job, key) })) });
}

export function useRetryJob() {
  return useAction({ run: (job: string, key) => ask(api.POST('/api/jobs/{job}/retry', { params: of(job, key) })) });
}
