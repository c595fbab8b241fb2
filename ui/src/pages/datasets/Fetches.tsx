import { Link } from '@tanstack/react-router';
import { useJobs } from '@/api/jobs';
import { useWorkers } from '@/api/workers';
import { Button } from '@/components/Button';
import { JobWork } from '@/components/jobs/JobWork';
import { canCancel, canRetry, useJobActions } from '@/components/jobs/useJobActions';
import { StatusBadge } from '@/components/StatusBadge';
import { RelativeTime } from '@/components/Time';
import { datasets as text } from '@/text/datasets';
import { jobs as jobText } from '@/text/jobs';

const SHOWN = 4;

/** Jobs that fetch data sets and have not succeeded; those that did are in the list. */
export function Fetches() {
  const jobs = useJobs({ kind: ['fetch_dataset'] }, 200);
  const workers = useWorkers();
  const { cancel, retry, busy } = useJobActions();
  const open = (jobs.data ?? []).filter((job) => job.status !== 'succeeded').slice(0, SHOWN);
  if (open.length === 0) return null;
  return (
    <section aria-label={text.fetches} className="space-y-1 border-t border-line pt-3">
      <div className="flex items-baseline gap-2">
        <h3 className="font-medium">{text.fetches}</h3>
        <Link to="/jobs" search={{ kind: 'fetch_dataset' }} className="ml-auto text-xs text-accent hover:underline">
          {text.fetchJobs}
        </Link>
      </div>
      <ul className="divide-y divide-line">
        {open.map((job) => (
          <li key={job.id} className="flex flex-wrap items-center gap-x-2 gap-y-1 py-1.5">
            <StatusBadge state={job.status} />
            <span className="text-xs text-faint">
              <RelativeTime at={job.created_at} />
            </span>
            {(canCancel(job) || canRetry(job)) && (
              <Button
                size="sm"
                tone="quiet"
                className="ml-auto"
                busy={busy}
                onClick={() => (canCancel(job) ? void cancel(job) : retry(job))}
              >
                {canCancel(job) ? jobText.cancel : jobText.retry}
              </Button>
            )}
            <div className="line-clamp-3 w-full text-xs [overflow-wrap:anywhere]">
              <JobWork job={job} workers={workers.data ?? []} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
