import { Link } from '@tanstack/react-router';
import type { TaskItem } from '@/api/types';
import { Panel } from '@/components/Card';
import { Empty, Loaded } from '@/components/States';
import { StatusBadge } from '@/components/StatusBadge';
import { Elapsed } from '@/components/Time';
import { ProgressCell } from '@/pages/tasks/ProgressCell';
import { dashboard as text } from '@/text/dashboard';

interface Asked {
  data: TaskItem[] | undefined;
  error: Error | null;
  isPending: boolean;
  refetch: () => unknown;
}

/** Tasks under way, a block per experiment. */
export function Running({ tasks }: { tasks: Asked }) {
  const running = tasks.data?.filter(({ status }) => status === 'running' || status === 'cancelling');
  return (
    <Panel title={text.running} note={running?.length || undefined} actions={<ToTasks />} flush>
      <Loaded of={{ ...tasks, data: running }} empty={<Empty title={text.runningNone} text={text.runningNoneText} />}>
        {(items) => (
          <ul className="divide-y divide-line">
            {items.map((task) => (
              <li
                key={task.id}
                className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-1.5 px-3 py-2 md:grid-cols-[minmax(0,14rem)_6rem_minmax(0,1fr)_7rem]"
              >
                <Link
                  to="/tasks/$task"
                  params={{ task: task.id }}
                  title={task.name}
                  className="min-w-0 truncate font-medium text-accent hover:underline"
                >
                  {task.name}
                </Link>
                <div>
                  <StatusBadge state={task.status} />
                </div>
                <div className="col-span-2 min-w-0 md:col-span-1">
                  <ProgressCell task={task} />
                </div>
                <span className="hidden text-right text-xs text-muted md:block">
                  {task.engine} · <Elapsed from={task.started_at} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

export function ToTasks() {
  return (
    <Link to="/tasks" className="text-xs text-accent hover:underline">
      {text.toTasks}
    </Link>
  );
}
