import { useJobs } from '@/api/jobs';
import type { JobItem, WorkerItem } from '@/api/types';
import { jobProgress } from '@/components/jobs/progress';
import { TaskLink } from '@/components/jobs/TaskLink';
import { jobKind } from '@/components/jobs/useJobActions';
import { workers as text } from '@/text/workers';

/** The jobs of a worker that are under way. */
export function useJobsOf(worker: WorkerItem): JobItem[] {
  const { data } = useJobs({ status: ['running'] }, 500);
  return (data ?? []).filter((job) => worker.jobs.includes(job.id));
}

/** What a worker does, in one line or one line a job. */
export function WorkerDoing({ worker, wrap }: { worker: WorkerItem; wrap?: boolean }) {
  const jobs = useJobsOf(worker);
  if (!worker.alive) return <span className="text-faint">–</span>;
  if (jobs.length === 0) return <span className="text-faint">{text.idle}</span>;
  return (
    <ul className={wrap ? 'space-y-1' : 'flex min-w-0 gap-3'}>
      {jobs.map((job) => (
        <li key={job.id} className={wrap ? '[overflow-wrap:anywhere]' : 'min-w-0 truncate'}>
          {job.task ? <TaskLink id={job.task} className="underline" /> : jobKind(job)}
          <span className="text-muted">{` ${jobProgress(job)?.text ?? ''}`}</span>
        </li>
      ))}
    </ul>
  );
}
