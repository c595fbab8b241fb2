import type { JobItem, WorkerItem } from '@/api/types';
import { Progress } from '@/components/Progress';
import { useNow } from '@/components/Time';
import { ago, timeOfDay } from '@/format';
import { common } from '@/text/common';
import { jobs } from '@/text/jobs';
import { jobProgress } from './progress';
import { waitReason } from './waits';

/** What is going on with a job, in one line: why it waits, how far it is, why it was given up. */
export function JobWork({ job, workers }: { job: JobItem; workers: readonly WorkerItem[] }) {
  const now = useNow();
  if (job.cancel_requested && job.status === 'running') return <span className="text-warn">{jobs.cancelAsked}</span>;
  if (job.status === 'queued') {
    const when = (at: string) => (Date.parse(at) - now < 60_000 ? timeOfDay(at) : ago(at, now, common.justNow));
    const reason = waitReason(job, workers, now, when);
    return (
      <span className="text-muted" title={job.last_error ? `${reason}. ${job.last_error}` : reason}>
        {reason}
      </span>
    );
  }
  if (job.status === 'running') return <RunningWork job={job} />;
  if (job.last_error && job.status !== 'succeeded') {
    return (
      <span className="text-muted" title={job.last_error}>
        {job.last_error}
      </span>
    );
  }
  return <span className="text-faint">–</span>;
}

/** How far a job is that runs. */
export function RunningWork({ job }: { job: JobItem }) {
  const told = jobProgress(job);
  if (told === null) return <span className="text-faint">–</span>;
  return (
    <span className="flex min-w-0 items-center gap-2" title={told.text}>
      {told.share !== undefined && (
        <span className="w-16 shrink-0">
          <Progress value={told.share} label={told.text} />
        </span>
      )}
      <span className="min-w-0 truncate">{told.text}</span>
    </span>
  );
}
