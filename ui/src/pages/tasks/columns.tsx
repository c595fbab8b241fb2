import { Link } from '@tanstack/react-router';
import type { TaskItem } from '@/api/types';
import type { Column } from '@/components/DataTable';
import { StatusBadge } from '@/components/StatusBadge';
import { Elapsed, RelativeTime } from '@/components/Time';
import { duration, secondsBetween } from '@/format';
import { tasks as words } from '@/text/tasks';
import { type TaskAction, total } from './counts';
import { ProgressCell } from './ProgressCell';
import { RowMenu } from './RowMenu';
import { VerdictShort } from './VerdictShort';

export interface RowContext {
  queued: ReadonlySet<string>;
  may: (task: TaskItem) => ReadonlySet<TaskAction>;
  act: (action: TaskAction, chosen: readonly TaskItem[]) => void;
  onClone: (task: TaskItem) => void;
}

function Name({ task }: { task: TaskItem }) {
  return (
    <Link
      to="/tasks/$task"
      params={{ task: task.id }}
      title={task.name}
      className="block truncate font-medium hover:underline"
    >
      {task.name}
    </Link>
  );
}

function Status({ task, queued }: { task: TaskItem; queued: ReadonlySet<string> }) {
  const asked = task.cancel_requested && task.status === 'running';
  const word = asked ? 'cancelling' : task.status === 'pending' && queued.has(task.id) ? 'queued' : task.status;
  return <StatusBadge state={word} title={task.failure ?? undefined} />;
}

function Took({ task }: { task: TaskItem }) {
  if (!task.started_at) return <span className="text-faint">–</span>;
  if (task.ended_at) return <>{duration(secondsBetween(task.started_at, task.ended_at))}</>;
  return task.status === 'running' || task.status === 'cancelling' ? (
    <Elapsed from={task.started_at} />
  ) : (
    <span className="text-faint">–</span>
  );
}

const improvement = (task: TaskItem) => task.verdict?.improvement?.estimate;

/** Columns of the list on a wide window. */
export function wideColumns(context: RowContext): Column<TaskItem>[] {
  return [
    {
      id: 'name',
      label: words.columns.name,
      width: 'minmax(9.5rem, 3fr)',
      sort: (task) => task.name,
      cell: (task) => <Name task={task} />,
    },
    {
      id: 'status',
      label: words.columns.status,
      width: '7rem',
      sort: (task) => task.status,
      cell: (task) => <Status task={task} queued={context.queued} />,
    },
    {
      id: 'progress',
      label: words.columns.progress,
      help: words.help.progress,
      width: 'minmax(11.5rem, 2.4fr)',
      sort: (task) => total(task.experiments),
      cell: (task) => <ProgressCell task={task} />,
    },
    {
      id: 'verdict',
      label: words.columns.verdict,
      help: words.help.verdict,
      width: 'minmax(12.25rem, 1.6fr)',
      sort: improvement,
      cell: (task) => <VerdictShort task={task} />,
    },
    {
      id: 'engine',
      label: words.columns.engine,
      width: 'minmax(5.5rem, 0.7fr)',
      sort: (task) => task.engine,
      cell: (task) => <span className="block truncate">{task.engine}</span>,
    },
    {
      id: 'duration',
      label: words.columns.duration,
      help: words.help.duration,
      width: '6rem',
      align: 'right',
      sort: (task) => (task.started_at ? secondsBetween(task.started_at, task.ended_at) : undefined),
      cell: (task) => <Took task={task} />,
    },
    {
      id: 'gpu',
      label: words.columns.gpu,
      help: words.help.gpu,
      width: '7rem',
      align: 'right',
      hidden: true,
      sort: (task) => task.gpu_seconds,
      cell: (task) => duration(task.gpu_seconds),
    },
    {
      id: 'created',
      label: words.columns.created,
      width: '6.25rem',
      align: 'right',
      sort: (task) => Date.parse(task.created_at),
      cell: (task) => <RelativeTime at={task.created_at} />,
    },
    {
      id: 'actions',
      label: words.columns.actions,
      width: '4.75rem',
      align: 'right',
      cell: (task) => <RowMenu task={task} may={context.may(task)} act={context.act} onClone={context.onClone} />,
    },
  ];
}

/** The same in one column, for telephones. */
export function narrowColumns(context: RowContext): Column<TaskItem>[] {
  return [
    {
      id: 'name',
      label: words.columns.name,
      width: 'minmax(0, 1fr)',
      sort: (task) => task.name,
      cell: (task) => (
        <div className="min-w-0 space-y-1">
          <div className="flex min-w-0 items-center gap-2">
            <div className="min-w-0 flex-1">
              <Name task={task} />
            </div>
            <Status task={task} queued={context.queued} />
            <RowMenu isSmall task={task} may={context.may(task)} act={context.act} onClone={context.onClone} />
          </div>
          <ProgressCell task={task} />
          <div className="flex min-w-0 items-center gap-2">
            <div className="min-w-0 flex-1">
              <VerdictShort task={task} />
            </div>
            <span className="shrink-0 text-xs text-faint">
              {task.started_at ? <Took task={task} /> : <RelativeTime at={task.created_at} />}
            </span>
          </div>
        </div>
      ),
    },
  ];
}
