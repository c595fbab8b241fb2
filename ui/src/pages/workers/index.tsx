import { getRouteApi } from '@tanstack/react-router';
import { useMay } from '@/api/role';
import { useInfo } from '@/api/system';
import { useWorkers } from '@/api/workers';
import { useTitle } from '@/app/title';
import { usePendingDeletes } from '@/app/undo';
import { Card, PageHead } from '@/components/Card';
import { Empty, Loaded, Skeleton } from '@/components/States';
import { workerKey } from '@/components/workers/useWorkerActions';
import { shell } from '@/text/shell';
import { workers as text } from '@/text/workers';
import { Another } from './Another';
import { WorkerDrawer } from './WorkerDrawer';
import { WorkerTable } from './WorkerTable';

const route = getRouteApi('/workers');

export default function WorkersPage() {
  useTitle(shell.pages.workers);
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const setOpen = (id?: string) => void navigate({ search: (old) => ({ ...old, open: id }), replace: true });
  const workers = useWorkers();
  const isDeleting = usePendingDeletes();
  const mayChange = useMay('operator');
  const version = useInfo().data?.version;
  const shown = workers.data?.filter((worker) => !isDeleting(workerKey(worker.id)));
  const alive = shown?.filter((worker) => worker.alive).length ?? 0;
  const opened = shown?.find((worker) => worker.id === open);

  return (
    <>
      <PageHead
        title={shell.pages.workers}
        note={shown && shown.length > 0 ? text.counts(alive, shown.length - alive) : undefined}
      />
      <div className="space-y-4">
        <Card>
          <Loaded
            of={{ ...workers, data: shown }}
            skeleton={<Skeleton lines={4} />}
            empty={<Empty title={text.empty} text={text.emptyText} />}
          >
            {(rows) => (
              <WorkerTable
                workers={rows}
                serverVersion={version}
                mayChange={mayChange}
                onOpen={(worker) => setOpen(worker.id)}
              />
            )}
          </Loaded>
        </Card>
        <Another />
      </div>
      {opened && (
        <WorkerDrawer
          worker={opened}
          serverVersion={version}
          mayChange={mayChange}
          onClose={() => setOpen(undefined)}
        />
      )}
    </>
  );
}
