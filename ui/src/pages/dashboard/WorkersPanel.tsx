import { Link } from '@tanstack/react-router';
import { RotateCw, TriangleAlert } from 'lucide-react';
import { useMay } from '@/api/role';
import { useInfo } from '@/api/system';
import { useWorkers } from '@/api/workers';
import { IconButton } from '@/components/Button';
import { Panel } from '@/components/Card';
import { Loaded } from '@/components/States';
import { workerName } from '@/components/workers/describe';
import { useWorkerActions } from '@/components/workers/useWorkerActions';
import { WorkerDoing } from '@/components/workers/WorkerDoing';
import { WorkerState } from '@/components/workers/WorkerState';
import { dashboard as text } from '@/text/dashboard';
import { workers as workerText } from '@/text/workers';

const SHOWN = 8;

/** Who does the work: state, load, what each does; a restart with what it interrupts. */
export function WorkersPanel() {
  const workers = useWorkers();
  const version = useInfo().data?.version;
  const mayAsk = useMay('operator');
  const { ask, busy } = useWorkerActions();
  return (
    <Panel
      title={text.workers}
      flush
      actions={
        <Link to="/workers" className="text-xs text-accent hover:underline">
          {text.all}
        </Link>
      }
    >
      <Loaded
        of={workers}
        empty={
          <p className="p-3 text-warn">
            {text.workersNone}{' '}
            <Link to="/workers" className="underline">
              {text.workersHow}
            </Link>
          </p>
        }
      >
        {(items) => (
          <ul className="divide-y divide-line">
            {items.slice(0, SHOWN).map((worker) => (
              <li key={worker.id} className="flex items-center gap-2 px-3 py-1.5">
                <WorkerState worker={worker} />
                <div className="min-w-0 flex-1">
                  <div className="flex items-baseline gap-2">
                    <Link
                      to="/workers"
                      search={{ open: worker.id }}
                      className="min-w-0 truncate font-medium hover:underline"
                      title={workerName(worker)}
                    >
                      {workerName(worker)}
                    </Link>
                    <Version version={worker.version} server={version} />
                  </div>
                  <div className="flex min-w-0 items-baseline gap-2 text-xs">
                    <div className="min-w-0 flex-1 truncate">
                      <WorkerDoing worker={worker} />
                    </div>
                    <span className="shrink-0 text-faint">{workerText.slotsOf(worker.busy_slots, worker.slots)}</span>
                  </div>
                </div>
                {mayAsk && worker.alive && (
                  <IconButton
                    size="sm"
                    disabled={busy || worker.asked === 'restart'}
                    label={text.restart(workerName(worker))}
                    icon={<RotateCw aria-hidden className="size-3.5" />}
                    onClick={() => void ask(worker, 'restart')}
                  />
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function Version({ version, server }: { version: string; server: string | undefined }) {
  if (server === undefined || server === version) {
    return <span className="ml-auto shrink-0 text-xs text-faint">{version}</span>;
  }
  return (
    <span
      className="ml-auto flex shrink-0 items-center gap-1 text-xs text-warn"
      title={workerText.otherVersion(server)}
    >
      <TriangleAlert aria-hidden className="size-3" />
      {workerText.otherVersionBadge(version)}
    </span>
  );
}
