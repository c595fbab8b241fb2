import { Link, useNavigate } from '@tanstack/react-router';
import { Copy, Ellipsis, GitCompare, MessageSquare } from 'lucide-react';
import { useState } from 'react';
import type { TaskDetail } from '@/api/types';
import { Badge } from '@/components/Badge';
import { Button, IconButton } from '@/components/Button';
import { PageHead } from '@/components/Card';
import { Menu, type MenuItem } from '@/components/Menu';
import { StatusBadge } from '@/components/StatusBadge';
import { Elapsed, RelativeTime } from '@/components/Time';
import { duration } from '@/format';
import { CloneDialog } from '@/pages/tasks/CloneDialog';
import { allowed, type TaskAction } from '@/pages/tasks/counts';
import { ACTION_ICONS } from '@/pages/tasks/RowMenu';
import { useTaskActions } from '@/pages/tasks/useTaskActions';
import { task as words } from '@/text/task';
import { tasks as listWords } from '@/text/tasks';

const ICON = 'size-4';

/** Name and state of the task, and what can be done with it. */
export function Head({ task, isQueued }: { task: TaskDetail; isQueued: boolean }) {
  const navigate = useNavigate();
  const act = useTaskActions();
  const [isCloning, setCloning] = useState(false);
  const [busy, setBusy] = useState<TaskAction | null>(null);
  const { actions } = words;
  const isArchived = Boolean(task.archived_at);
  const may = allowed({ status: task.status, isQueued, isArchived });
  const isEnding = task.status === 'cancelling' || (task.status === 'running' && task.cancel_requested);
  const state = isEnding ? 'cancelling' : isQueued && task.status === 'pending' ? 'queued' : task.status;

  const run = async (action: TaskAction) => {
    setBusy(action);
    await act(action, [task]);
    setBusy(null);
    if (action === 'remove') void navigate({ to: '/tasks' });
  };
  const button = (action: TaskAction, tone?: 'primary' | 'danger') =>
    may.has(action) && (
      <Button tone={tone} icon={ACTION_ICONS[action]} busy={busy === action} onClick={() => void run(action)}>
        {listWords[action]}
      </Button>
    );
  const item = (action: TaskAction): MenuItem => ({
    label: listWords[action],
    icon: ACTION_ICONS[action],
    danger: action === 'remove',
    disabled: !may.has(action),
    onSelect: () => void run(action),
  });
  const items: MenuItem[] = [
    { label: listWords.clone, icon: <Copy aria-hidden className={ICON} />, onSelect: () => setCloning(true) },
    {
      label: actions.compareWith,
      icon: <GitCompare aria-hidden className={ICON} />,
      onSelect: () => void navigate({ to: '/compare', search: { tasks: [task.id] } }),
    },
    {
      label: actions.askAgent,
      icon: <MessageSquare aria-hidden className={ICON} />,
      onSelect: () => void navigate({ to: '/chat' }),
    },
    { kind: 'line' },
    item(isArchived ? 'unarchive' : 'archive'),
    item('remove'),
  ];
  return (
    <>
      <PageHead
        title={task.name}
        note={
          <>
            <StatusBadge state={state} />
            {isArchived && <Badge>{words.archived}</Badge>}
            {task.revision > 1 && <Badge>{words.revision(task.revision)}</Badge>}
          </>
        }
        actions={
          <>
            {button('start', 'primary')}
            {button('resume', 'primary')}
            {!isEnding && button('cancel', 'danger')}
            {button('edit')}
            <Menu items={items}>
              <IconButton label={actions.more} tone="plain" icon={<Ellipsis aria-hidden className={ICON} />} />
            </Menu>
          </>
        }
      />
      <Facts task={task} />
      {task.replaced_by && (
        <p className="mb-3 rounded-md border border-warn/40 bg-warn-soft px-3 py-1.5 text-warn">
          {words.replaced}{' '}
          <Link to="/tasks/$task" params={{ task: task.replaced_by }} className="underline">
            {words.toLatest}
          </Link>
        </p>
      )}
      {isCloning && <CloneDialog task={task} onClose={() => setCloning(false)} />}
    </>
  );
}

function Facts({ task }: { task: TaskDetail }) {
  const { model } = task.task;
  const named = String(model.id ?? model.path ?? model.name ?? '');
  const isLive = task.status === 'running' || task.status === 'cancelling';
  return (
    <div className="-mt-2 mb-3 flex flex-wrap gap-x-4 gap-y-0.5 text-xs text-muted">
      <span className="[overflow-wrap:anywhere]">{words.by(task.engine, named)}</span>
      {task.started_at ? (
        <>
          <span>
            {words.started} <RelativeTime at={task.started_at} />
          </span>
          <span>
            {isLive ? words.runningFor : words.took}{' '}
            <Elapsed from={task.started_at} to={isLive ? null : task.ended_at} />
          </span>
        </>
      ) : (
        <span>
          {words.created} <RelativeTime at={task.created_at} />
        </span>
      )}
      {task.gpu_seconds > 0 && (
        <span>
          {words.gpuTime} {duration(task.gpu_seconds)}
        </span>
      )}
      {task.task.description && <span className="w-full [overflow-wrap:anywhere]">{task.task.description}</span>}
    </div>
  );
}
