import { useMemo } from 'react';
import type { JobItem, WorkerItem } from '@/api/types';
import { Button } from '@/components/Button';
import { type Column, DataTable } from '@/components/DataTable';
import { JobWork } from '@/components/jobs/JobWork';
import { TaskLink } from '@/components/jobs/TaskLink';
import { canCancel, canRetry, jobKind, useJobActions } from '@/components/jobs/useJobActions';
import { StatusBadge } from '@/components/StatusBadge';
import { Elapsed, RelativeTime } from '@/components/Time';
import { useNarrow } from '@/components/useNarrow';
import { secondsBetween } from '@/format';
import { jobs as text } from '@/text/jobs';

interface JobTableProps {
  jobs: readonly JobItem[];
  workers: readonly WorkerItem[];
  mayChange: boolean;
  onOpen: (job: JobItem) => void;
}

export function JobTable({ jobs, workers, mayChange, onOpen }: JobTableProps) {
  const { cancel, retry } = useJobActions();
  const narrow = useNarrow();
  const columns = useMemo<Column<JobItem>[]>(() => {
    const actions: Column<JobItem> = {
      id: 'actions',
      label: '',
      width: '6.5rem',
      align: 'right',
      cell: (job) =>
        canCancel(job) ? (
          <Button size="sm" tone="quiet" onClick={() => void cancel(job)}>
            {text.cancel}
          </Button>
        ) : (
          canRetry(job) && (
            <Button size="sm" tone="quiet" onClick={() => retry(job)}>
              {text.retry}
            </Button>
          )
        ),
    };
    return [
      {
        id: 'status',
        label: text.status,
        width: '7rem',
        sort: (job) => job.status,
        cell: (job) => <StatusBadge state={job.status} />,
      },
      {
        id: 'kind',
        label: text.kind,
        width: narrow ? 'minmax(8rem, 1fr)' : '9.5rem',
        sort: (job) => jobKind(job),
        cell: (job) => jobKind(job),
      },
      {
        id: 'task',
        label: text.task,
        width: 'minmax(8rem, 1fr)',
        hidden: narrow,
        cell: (job) => <TaskLink id={job.task} />,
      },
      {
        id: 'what',
        label: text.what,
        width: 'minmax(12rem, 1.5fr)',
        hidden: narrow,
        cell: (job) => <JobWork job={job} workers={workers} />,
      },
      {
        id: 'worker',
        label: text.worker,
        width: '9rem',
        hidden: narrow,
        sort: (job) => job.worker,
        cell: (job) => job.worker ?? <span className="text-faint">–</span>,
      },
      {
        id: 'attempts',
        label: text.attempts,
        width: '5rem',
        hidden: narrow,
        align: 'right',
        sort: (job) => job.attempts,
        cell: (job) => text.attemptsOf(job.attempts, job.max_attempts),
      },
      {
        id: 'queued',
        label: text.queued,
        width: '6.5rem',
        sort: (job) => Date.parse(job.created_at),
        cell: (job) => <RelativeTime at={job.created_at} />,
      },
      {
        id: 'took',
        label: text.took,
        width: '6.5rem',
        hidden: narrow,
        align: 'right',
        sort: (job) => job.claimed_at && secondsBetween(job.claimed_at, job.ended_at),
        cell: (job) =>
          job.claimed_at && job.status !== 'queued' ? (
            <Elapsed from={job.claimed_at} to={job.ended_at} />
          ) : (
            <span className="text-faint">–</span>
          ),
      },
      {
        id: 'priority',
        label: text.priority,
        help: text.priorityHelp,
        width: '5rem',
        align: 'right',
        hidden: true,
        sort: (job) => job.priority,
        cell: (job) => job.priority,
      },
      {
        id: 'id',
        label: text.id,
        width: '20rem',
        hidden: true,
        cell: (job) => <span className="font-mono text-xs">{job.id}</span>,
      },
      ...(mayChange && !narrow ? [actions] : []),
    ];
  }, [workers, mayChange, narrow, cancel, retry]);
  return (
    <DataTable
      name="jobs"
      label={text.list}
      rows={jobs}
      columns={columns}
      rowKey={(job) => job.id}
      rowName={jobKind}
      onOpen={onOpen}
    />
  );
}
