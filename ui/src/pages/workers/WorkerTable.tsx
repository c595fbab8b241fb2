import { TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';
import type { WorkerItem } from '@/api/types';
import { Badge } from '@/components/Badge';
import { type Column, DataTable } from '@/components/DataTable';
import { RelativeTime } from '@/components/Time';
import { useNarrow } from '@/components/useNarrow';
import { gpuSummary, workerName } from '@/components/workers/describe';
import { WorkerDoing } from '@/components/workers/WorkerDoing';
import { WorkerMenu } from '@/components/workers/WorkerMenu';
import { WorkerState } from '@/components/workers/WorkerState';
import { workers as text } from '@/text/workers';
import { Slots } from './Slots';

interface WorkerTableProps {
  workers: readonly WorkerItem[];
  serverVersion: string | undefined;
  mayChange: boolean;
  onOpen: (worker: WorkerItem) => void;
}

export function WorkerTable({ workers, serverVersion, mayChange, onOpen }: WorkerTableProps) {
  const narrow = useNarrow();
  const columns = useMemo<Column<WorkerItem>[]>(() => {
    const menu: Column<WorkerItem> = {
      id: 'menu',
      label: '',
      width: '3rem',
      align: 'right',
      cell: (worker) => <WorkerMenu worker={worker} />,
    };
    return [
      {
        id: 'state',
        label: text.state,
        width: '7rem',
        sort: (worker) => `${worker.alive ? 0 : 1} ${worker.asked}`,
        cell: (worker) => <WorkerState worker={worker} />,
      },
      {
        id: 'worker',
        label: text.worker,
        width: 'minmax(8rem, 1fr)',
        sort: workerName,
        cell: (worker) => <span title={workerName(worker)}>{workerName(worker)}</span>,
      },
      {
        id: 'slots',
        label: text.slots,
        help: text.slotsHelp,
        width: '8rem',
        hidden: narrow,
        sort: (worker) => worker.busy_slots / (worker.slots || 1),
        cell: (worker) => <Slots worker={worker} />,
      },
      {
        id: 'doing',
        label: text.doing,
        width: 'minmax(12rem, 1.5fr)',
        hidden: narrow,
        cell: (worker) => <WorkerDoing worker={worker} />,
      },
      {
        id: 'gpus',
        label: text.gpus,
        help: text.gpusHelp,
        width: '7rem',
        hidden: narrow,
        sort: (worker) => worker.free_gpus,
        cell: (worker) => <GpuCount worker={worker} />,
      },
      {
        id: 'engines',
        label: text.engines,
        width: '10rem',
        hidden: narrow,
        cell: ({ capabilities: { engines = {} } }) => (
          <span
            title={Object.entries(engines)
              .map((pair) => pair.join(' '))
              .join(', ')}
          >
            {Object.keys(engines).join(', ') || text.noGpus}
          </span>
        ),
      },
      {
        id: 'labels',
        label: text.labels,
        width: '7rem',
        hidden: narrow || workers.every((worker) => Object.keys(worker.capabilities.labels ?? {}).length === 0),
        cell: ({ capabilities }) =>
          Object.entries(capabilities.labels ?? {})
            .map((pair) => pair.join('='))
            .join(', '),
      },
      {
        id: 'version',
        label: text.version,
        width: '6rem',
        hidden: narrow,
        sort: (worker) => worker.version,
        cell: (worker) => <Version worker={worker} server={serverVersion} />,
      },
      {
        id: 'heartbeat',
        label: text.heartbeat,
        width: '8rem',
        hidden: narrow,
        sort: (worker) => Date.parse(worker.heartbeat_at),
        cell: (worker) => <RelativeTime at={worker.heartbeat_at} />,
      },
      ...(mayChange ? [menu] : []),
    ];
  }, [workers, serverVersion, mayChange, narrow]);
  return (
    <DataTable
      name="workers"
      label={text.list}
      rows={workers}
      columns={columns}
      rowKey={(worker) => worker.id}
      rowName={workerName}
      rowHeight={36}
      onOpen={onOpen}
    />
  );
}

function GpuCount({ worker }: { worker: WorkerItem }) {
  const all = worker.capabilities.gpus?.length ?? 0;
  if (all === 0) return <span className="text-faint">{text.noGpus}</span>;
  return <span title={gpuSummary(worker.capabilities.gpus).join('; ')}>{text.gpusFree(worker.free_gpus, all)}</span>;
}

/** Its version, and whether the server has another one. */
export function Version({ worker, server }: { worker: WorkerItem; server: string | undefined }) {
  if (server === undefined || worker.version === server) return <>{worker.version}</>;
  return (
    <Badge
      tone="warn"
      title={text.otherVersion(server)}
      icon={<TriangleAlert aria-hidden className="size-3.5 shrink-0" />}
    >
      {text.otherVersionBadge(worker.version)}
    </Badge>
  );
}
