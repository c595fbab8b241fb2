import { Link } from '@tanstack/react-router';
import { useMay } from '@/api/role';
import type { JobItem } from '@/api/types';
import { useWorkers } from '@/api/workers';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { JobWork } from '@/components/jobs/JobWork';
import { canCancel, canRetry, useJobActions } from '@/components/jobs/useJobActions';
import { StatusBadge } from '@/components/StatusBadge';
import { RelativeTime } from '@/components/Time';
import { engines as text } from '@/text/engines';
import { jobs as jobText } from '@/text/jobs';
import { installTarget } from './installs';

const SHOWN = 5;

/** The newest installations: step, end, and why one failed. */
export function Installations({ jobs }: { jobs: readonly JobItem[] }) {
  const workers = useWorkers();
  const mayChange = useMay('operator');
  const { cancel, retry, busy } = useJobActions();
  if (jobs.length === 0) return null;
  return (
    <Panel
      title={text.installations}
      note={text.installationsNote}
      actions={
        <Link to="/jobs" search={{ kind: 'install_engine' }} className="text-xs text-accent hover:underline">
          {text.toJobs}
        </Link>
      }
      flush
    >
      <ul className="divide-y divide-line">
        {jobs.slice(0, SHOWN).map((job) => {
          const target = installTarget(job);
          return (
            <li key={job.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5">
              <StatusBadge state={job.status} />
              <span className="font-medium">
                {(target && text.targets[target]?.[0]) ?? target ?? text.installation}
              </span>
              <span className="text-xs text-faint">
                <RelativeTime at={job.ended_at ?? job.created_at} />
              </span>
              {mayChange && (canCancel(job) || canRetry(job)) && (
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
              {job.status !== 'succeeded' && (
                <div className="line-clamp-3 w-full min-w-0 text-xs [overflow-wrap:anywhere]">
                  <JobWork job={job} workers={workers.data ?? []} />
                </div>
              )}
            </li>
          );
        })}
      </ul>
      <p className="border-t border-line px-3 py-2 text-xs text-faint">{text.noLog}</p>
    </Panel>
  );
}
