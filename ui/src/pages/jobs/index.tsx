import { getRouteApi } from '@tanstack/react-router';
import { OctagonAlert } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useJobs } from '@/api/jobs';
import { useMay } from '@/api/role';
import { useTasksById } from '@/api/taskNames';
import type { JobItem } from '@/api/types';
import { useWorkers } from '@/api/workers';
import { useTitle } from '@/app/title';
import { Button } from '@/components/Button';
import { Card, PageHead } from '@/components/Card';
import { jobKind } from '@/components/jobs/useJobActions';
import { Empty, Loaded, Skeleton } from '@/components/States';
import { components } from '@/text/components';
import { jobs as text } from '@/text/jobs';
import { shell } from '@/text/shell';
import { Filters } from './Filters';
import { JobDrawer } from './JobDrawer';
import { JobTable } from './JobTable';
import type { Search } from './search';

const route = getRouteApi('/jobs');
/** So many are read at first, since each event has them read again; more when somebody asks. */
const FIRST = 500;
const MORE = 2000;

export default function JobsPage() {
  useTitle(shell.pages.jobs);
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<Search>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const { status, kind, q, open } = search;
  const [most, setMost] = useState(FIRST);
  const jobs = useJobs({ status, kind: kind && [kind] }, most);
  const dead = useJobs({ status: ['dead'] }, 500);
  const workers = useWorkers();
  const tasks = useTasksById();
  const mayChange = useMay('operator');
  const words = (q ?? '').toLowerCase();
  const shown = useMemo(() => {
    const has = (job: JobItem) =>
      `${job.id} ${jobKind(job)} ${job.worker ?? ''} ${job.last_error ?? ''} ${tasks.get(job.task ?? '')?.name ?? ''}`
        .toLowerCase()
        .includes(words);
    return words ? jobs.data?.filter(has) : jobs.data;
  }, [jobs.data, words, tasks]);
  const filtered = Boolean(status || kind || q);
  const deadCount = dead.data?.length ?? 0;
  const all = jobs.data?.length ?? 0;

  return (
    <>
      <PageHead
        title={shell.pages.jobs}
        actions={
          deadCount > 0 && (
            <span className="flex flex-wrap items-center gap-2 rounded-md border border-bad/40 bg-bad-soft py-0.5 pl-2 pr-1 text-bad">
              <OctagonAlert aria-hidden className="size-4" />
              {text.deadSome(deadCount)}
              <Button size="sm" onClick={() => set({ status: ['dead'], kind: undefined, q: undefined })}>
                {text.deadShow}
              </Button>
            </span>
          )
        }
      />
      <Card>
        <Filters search={search} onChange={set} />
        <Loaded
          of={{ ...jobs, data: shown }}
          skeleton={<Skeleton lines={8} />}
          empty={
            filtered ? (
              <Empty title={text.noMatch}>
                <Button size="sm" onClick={() => set({ status: undefined, kind: undefined, q: undefined })}>
                  {components.clear}
                </Button>
              </Empty>
            ) : (
              <Empty title={text.empty} text={text.emptyText} />
            )
          }
        >
          {(rows) => (
            <JobTable
              jobs={rows}
              workers={workers.data ?? []}
              mayChange={mayChange}
              onOpen={(job) => set({ open: job.id })}
            />
          )}
        </Loaded>
        {all >= most && (
          <div className="flex flex-wrap items-center gap-3 border-t border-line px-3 py-2 text-xs text-faint">
            {text.newest(all)}
            <Button size="sm" onClick={() => setMost(most + MORE)}>
              {text.older}
            </Button>
          </div>
        )}
      </Card>
      {open && <JobDrawer id={open} mayChange={mayChange} onClose={() => set({ open: undefined })} />}
    </>
  );
}
