import { useJob } from '@/api/jobs';
import type { JobItem } from '@/api/types';
import { useWorkers } from '@/api/workers';
import { Button } from '@/components/Button';
import { CodeBlock, CopyButton } from '@/components/Copy';
import { Drawer } from '@/components/Dialog';
import { JobWork } from '@/components/jobs/JobWork';
import { TaskLink } from '@/components/jobs/TaskLink';
import { canCancel, canRetry, jobKind, useJobActions } from '@/components/jobs/useJobActions';
import { type Needs, needsInWords } from '@/components/jobs/waits';
import { KeyValues } from '@/components/KeyValues';
import { Loaded } from '@/components/States';
import { StatusBadge } from '@/components/StatusBadge';
import { Elapsed, RelativeTime } from '@/components/Time';
import { YamlView } from '@/components/Tree';
import { jobs as text } from '@/text/jobs';

interface JobDrawerProps {
  id: string;
  mayChange: boolean;
  onClose: () => void;
}

/** Everything of one job. */
export function JobDrawer({ id, mayChange, onClose }: JobDrawerProps) {
  const job = useJob(id);
  const { cancel, retry, busy } = useJobActions();
  const { data } = job;
  const actions = mayChange && data && (
    <>
      {canCancel(data) && (
        <Button tone="danger" busy={busy} onClick={() => void cancel(data)}>
          {text.cancel}
        </Button>
      )}
      {canRetry(data) && (
        <Button tone="primary" busy={busy} onClick={() => retry(data)}>
          {text.retry}
        </Button>
      )}
    </>
  );
  return (
    <Drawer
      open
      onOpenChange={(open) => open || onClose()}
      title={data ? jobKind(data) : id}
      actions={data && mayChange && (canCancel(data) || canRetry(data)) ? actions : undefined}
    >
      <Loaded of={job}>{(found) => <Facts job={found} />}</Loaded>
    </Drawer>
  );
}

function Facts({ job }: { job: JobItem }) {
  const workers = useWorkers();
  const needs = needsInWords(job.needs as Needs);
  return (
    <div className="space-y-4">
      {job.status === 'dead' && (
        <p className="rounded-md border border-bad/40 bg-bad-soft p-2 text-bad">{text.deadHelp(job.attempts)}</p>
      )}
      <KeyValues
        pairs={[
          { label: text.status, value: <StatusBadge state={job.status} /> },
          { label: text.what, value: <JobWork job={job} workers={workers.data ?? []} /> },
          job.task
            ? { label: text.task, value: <TaskLink id={job.task} className="[overflow-wrap:anywhere]" /> }
            : null,
          { label: text.worker, value: job.worker },
          { label: text.attempts, value: text.attemptsOf(job.attempts, job.max_attempts) },
          { label: text.needs, value: needs.length ? needs.join(', ') : text.needsNothing },
          { label: text.priority, value: job.priority },
          { label: text.queued, value: <RelativeTime at={job.created_at} exact /> },
          job.status === 'queued' && { label: text.notBefore, value: <RelativeTime at={job.run_after_at} exact /> },
          { label: text.claimed, value: job.claimed_at && <RelativeTime at={job.claimed_at} exact /> },
          job.status === 'running' && { label: text.heartbeat, value: <RelativeTime at={job.heartbeat_at} /> },
          { label: text.ended, value: job.ended_at && <RelativeTime at={job.ended_at} exact /> },
          {
            label: text.took,
            value: job.claimed_at && job.status !== 'queued' && <Elapsed from={job.claimed_at} to={job.ended_at} />,
          },
          {
            label: text.id,
            mono: true,
            value: (
              <span className="flex items-center gap-1">
                {job.id}
                <CopyButton text={job.id} />
              </span>
            ),
          },
        ]}
      />
      {job.last_error && (
        <section className="space-y-1">
          <h3 className="font-medium">{text.lastError}</h3>
          <CodeBlock text={job.last_error} label={text.lastError} wrap />
        </section>
      )}
      <section className="space-y-1">
        <h3 className="font-medium">{text.result}</h3>
        {job.result ? (
          <YamlView value={job.result} label={text.result} />
        ) : (
          <p className="text-faint">{text.noResult}</p>
        )}
      </section>
      <p className="text-xs text-faint">{text.payloadUnsaid}</p>
    </div>
  );
}
