import { Link } from '@tanstack/react-router';
import type { TaskItem } from '@/api/types';
import { Panel } from '@/components/Card';
import { StatusBadge } from '@/components/StatusBadge';
import { RelativeTime } from '@/components/Time';
import { VerdictShort } from '@/pages/tasks/VerdictShort';
import { dashboard as text } from '@/text/dashboard';

const SHOWN = 6;

/** Its end lies ahead: its clock was simulated. */
function isVirtual({ ended_at }: TaskItem): boolean {
  return ended_at !== null && ended_at !== undefined && Date.parse(ended_at) > Date.now() + 30_000;
}

/** What the last tasks found. */
export function Ended({ tasks }: { tasks: readonly TaskItem[] }) {
  const ended = tasks
    .filter((task) => task.ended_at)
    .sort((a, b) => Date.parse(b.ended_at ?? '') - Date.parse(a.ended_at ?? ''))
    .slice(0, SHOWN);
  if (ended.length === 0) return null;
  return (
    <Panel title={text.ended} flush>
      <ul className="divide-y divide-line">
        {ended.map((task) => (
          <li key={task.id} className="px-3 py-1.5">
            <div className="flex items-center gap-2">
              <Link
                to="/tasks/$task"
                params={{ task: task.id }}
                title={task.name}
                className="min-w-0 truncate font-medium text-accent hover:underline"
              >
                {task.name}
              </Link>
              <span className="ml-auto shrink-0 text-xs text-faint">
                {isVirtual(task) ? text.virtual : <RelativeTime at={task.ended_at} />}
              </span>
            </div>
            <div className="flex min-w-0 items-center gap-2 text-xs">
              {task.status !== 'completed' && <StatusBadge state={task.status} />}
              <div className="min-w-0">
                <VerdictShort task={task} />
              </div>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
