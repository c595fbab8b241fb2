import { Link } from '@tanstack/react-router';
import { OctagonAlert } from 'lucide-react';
import { useJobs } from '@/api/jobs';
import type { JobItem } from '@/api/types';
import { useWorkers } from '@/api/workers';
import { Panel } from '@/components/Card';
import { JobWork } from '@/components/jobs/JobWork';
import { TaskLink } from '@/components/jobs/TaskLink';
import { jobKind } from '@/components/jobs/useJobActions';
import { Loaded } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { dashboard as text } from '@/text/dashboard';

const SHOWN = 5;

/** What waits, since when and why. */
export function QueuePanel() {
  const jobs = useJobs({ status: ['queued', 'running'] }, 1000);
  const dead = useJobs({ status: ['dead'] }, 500);
  const workers = useWorkers();
  const waiting = (jobs.data ?? []).filter((job) => job.status === 'queued');
  const oldestFirst = [...waiting].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
  const running = (jobs.data?.length ?? 0) - waiting.length;
  const deadCount = dead.data?.length ?? 0;
  return (
    <Panel
      title={text.queue}
      note={jobs.data && text.queueCounts(waiting.length, running)}
      actions={
        <Link to="/jobs" className="text-xs text-accent hover:underline">
          {text.all}
        </Link>
      }
      flush
    >
      <Loaded of={jobs}>{() => <Waiting jobs={oldestFirst} workers={workers.data ?? []} />}</Loaded>
      {deadCount > 0 && (
        <p className="flex items-center gap-2 border-t border-line px-3 py-1.5 text-bad">
          <OctagonAlert aria-hidden className="size-4 shrink-0" />
          <Link to="/jobs" search={{ status: ['dead'] }} className="underline">
            {text.dead(deadCount)}
          </Link>
        </p>
      )}
    </Panel>
  );
}

function Waiting({ jobs, workers }: { jobs: readonly JobItem[]; workers: Parameters<typeof JobWork>[0]['workers'] }) {
  const [oldest] = jobs;
  if (!oldest) return <p className="px-3 py-2 text-muted">{text.queueEmpty}</p>;
  return (
    <>
      <p className="px-3 pt-2 text-xs text-faint">
        {text.queueOldest} <RelativeTime at={oldest.created_at} exact />
      </p>
      <ul className="divide-y divide-line">
        {jobs.slice(0, SHOWN).map((job) => (
          <li key={job.id} className="px-3 py-1.5">
            <div className="flex items-baseline gap-2">
              <span className="min-w-0 truncate font-medium">
                {job.task ? <TaskLink id={job.task} /> : jobKind(job)}
              </span>
              <span className="ml-auto shrink-0 text-xs text-faint">
                <RelativeTime at={job.created_at} />
              </span>
            </div>
            <div className="text-xs [overflow-wrap:anywhere]">
              <JobWork job={job} workers={workers} />
            </div>
          </li>
        ))}
      </ul>
      {jobs.length > SHOWN && (
        <p className="px-3 pb-2 text-xs text-faint">
          <Link to="/jobs" search={{ status: ['queued'] }} className="hover:underline">
            {text.queueMore(jobs.length - SHOWN)}
          </Link>
        </p>
      )}
    </>
  );
}
