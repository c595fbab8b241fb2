import { Link } from '@tanstack/react-router';
import { CircleCheck, CircleDashed, CirclePause, LoaderCircle, type LucideIcon } from 'lucide-react';
import type { Deployment } from '@/api/deployments';
import { useTasksById } from '@/api/taskNames';
import { useCancelTask } from '@/api/tasks';
import { confirm } from '@/app/confirm';
import { toast, toastError } from '@/app/toasts';
import { Badge, type BadgeTone } from '@/components/Badge';
import { Button } from '@/components/Button';
import { CopyButton } from '@/components/Copy';
import { type Column, DataTable } from '@/components/DataTable';
import { TaskLink } from '@/components/jobs/TaskLink';
import { Elapsed } from '@/components/Time';
import { useNarrow } from '@/components/useNarrow';
import { deployments as text } from '@/text/deployments';

const LOOKS: Record<string, [BadgeTone, LucideIcon]> = {
  announced: ['neutral', CircleDashed],
  starting: ['accent', LoaderCircle],
  running: ['ok', CircleCheck],
  ready: ['ok', CircleCheck],
  stopping: ['warn', CirclePause],
};

function State({ state }: { state: string }) {
  const [tone, Icon] = LOOKS[state] ?? ['neutral', LoaderCircle];
  return (
    <Badge tone={tone} icon={<Icon aria-hidden className="size-3.5 shrink-0" />}>
      {text.states[state] ?? state}
    </Badge>
  );
}

/** Stopping an engine is cancelling its task: the service offers nothing smaller, and says so. */
function useStop() {
  const cancelling = useCancelTask();
  const tasks = useTasksById();
  return async (deployment: Deployment) => {
    const name = tasks.get(deployment.task)?.name;
    if (name === undefined) return toast({ tone: 'info', title: text.stopUnknown });
    const wanted = await confirm({
      title: text.stopTitle(name),
      text: text.stopText(deployment.experiment, name),
      action: text.stopAction,
      danger: true,
    });
    if (wanted) cancelling.mutate(deployment.task, { onError: (error) => toastError(error) });
  };
}

export function DeploymentTable({
  deployments,
  mayChange,
}: {
  deployments: readonly Deployment[];
  mayChange: boolean;
}) {
  const narrow = useNarrow();
  const tasks = useTasksById();
  const stop = useStop();
  const none = <span className="text-faint">–</span>;
  const nameOf = (one: Deployment) => tasks.get(one.task)?.name ?? one.task;
  const columns: Column<Deployment>[] = [
    {
      id: 'state',
      label: text.state,
      width: '6.5rem',
      sort: (one) => one.state,
      cell: (one) => <State state={one.state} />,
    },
    {
      id: 'task',
      label: text.task,
      width: 'minmax(8rem, 1fr)',
      sort: nameOf,
      cell: (one) => <TaskLink id={one.task} />,
    },
    {
      id: 'experiment',
      label: text.experiment,
      width: narrow ? '6rem' : '8rem',
      align: 'right',
      sort: (one) => one.experiment,
      cell: (one) => (
        <Link
          to="/tasks/$task/experiments/$number"
          params={{ task: one.task, number: String(one.experiment) }}
          search={{ tab: 'log' }}
          aria-label={text.openLog(one.experiment, nameOf(one))}
          className="text-accent hover:underline"
        >
          {one.experiment} · {text.log}
        </Link>
      ),
    },
    {
      id: 'attempt',
      label: text.attempt,
      width: '5rem',
      align: 'right',
      hidden: true,
      sort: (one) => one.attempt,
      cell: (one) => one.attempt,
    },
    { id: 'kind', label: text.kind, width: '6rem', hidden: narrow, sort: (one) => one.kind, cell: (one) => one.kind },
    {
      id: 'host',
      label: text.host,
      width: 'minmax(6rem, 0.75fr)',
      hidden: narrow,
      sort: (one) => one.host,
      cell: (one) => <span title={one.host}>{one.host}</span>,
    },
    {
      id: 'port',
      label: text.port,
      width: '5rem',
      align: 'right',
      hidden: narrow,
      sort: (one) => one.port,
      cell: (one) => one.port ?? none,
    },
    {
      id: 'pid',
      label: text.pid,
      width: '5.5rem',
      align: 'right',
      hidden: narrow,
      sort: (one) => one.pid,
      cell: (one) => one.pid ?? none,
    },
    {
      id: 'address',
      label: text.address,
      width: 'minmax(11rem, 1fr)',
      hidden: narrow,
      cell: (one) =>
        one.address ? (
          <span className="flex items-center gap-1">
            <span className="min-w-0 truncate font-mono text-xs" title={one.address}>
              {one.address}
            </span>
            <CopyButton text={one.address} />
          </span>
        ) : (
          none
        ),
    },
    {
      id: 'age',
      label: text.age,
      width: '7rem',
      align: 'right',
      hidden: narrow,
      sort: (one) => -Date.parse(one.created_at),
      cell: (one) => <Elapsed from={one.created_at} />,
    },
    {
      id: 'id',
      label: text.id,
      width: '16rem',
      hidden: true,
      cell: (one) => <span className="font-mono text-xs">{one.id}</span>,
    },
  ];
  if (mayChange) {
    columns.push({
      id: 'stop',
      label: '',
      width: '5rem',
      align: 'right',
      cell: (one) => (
        <Button size="sm" tone="danger" onClick={() => void stop(one)}>
          {text.stop}
        </Button>
      ),
    });
  }
  return (
    <DataTable
      name="deployments"
      label={text.list}
      rows={deployments}
      columns={columns}
      rowKey={(one) => one.id}
      rowName={(one) => `${nameOf(one)} ${one.experiment}`}
      rowHeight={36}
    />
  );
}
