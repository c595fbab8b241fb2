import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { type ExperimentField, experimentQuery, experimentsQuery } from '@/api/experiments';
import { taskQuery } from '@/api/tasks';
import type { ExperimentDetail, ExperimentItem, TaskDetail } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Panel } from '@/components/Card';
import { SideBySide } from '@/components/SideBySide';
import { ErrorView, Skeleton } from '@/components/States';
import { Switch } from '@/components/Toggle';
import { firstObjective } from '@/format';
import { compare as words } from '@/text/compare';
import { canonical, isOneQuestion, taskDoubts } from './comparable';
import { Doubts } from './Doubts';
import { searchOf } from './progress';
import { SearchPlots } from './SearchPlots';
import type { Search } from './search';
import { taskGroups } from './taskRows';

const FIELDS: ExperimentField[] = ['number', 'role', 'outcome', 'objective', 'score'];

interface TasksCompareProps {
  ids: readonly string[];
  search: Search;
  onSearch: (change: Partial<Search>) => void;
}

/** Two to six tasks, side by side. */
export function TasksCompare({ ids, search, onSearch }: TasksCompareProps) {
  const found = useQueries({ queries: ids.map((id) => taskQuery(id)) });
  const failed = found.find((one) => one.error && !one.data);
  if (failed) return <ErrorView error={failed.error} onRetry={() => void failed.refetch()} />;
  const tasks = found.flatMap((one) => one.data ?? []);
  if (tasks.length < ids.length) return <Skeleton lines={10} />;
  return <WithExperiments tasks={tasks} search={search} onSearch={onSearch} />;
}

interface WithProps extends Omit<TasksCompareProps, 'ids'> {
  tasks: TaskDetail[];
}

function WithExperiments({ tasks, search, onSearch }: WithProps) {
  const lists = useQueries({ queries: tasks.map((task) => experimentsQuery(task.id, FIELDS)) });
  // Where a task was measured is told by its experiments: the recommended one, or the baseline.
  const places = useQueries({
    queries: tasks.map(({ id, verdict }) => ({
      ...experimentQuery(id, verdict?.recommended ?? verdict?.baseline ?? 1),
      retry: false,
    })),
  });
  const failed = lists.find((one) => one.error && !one.data);
  if (failed) return <ErrorView error={failed.error} onRetry={() => void failed.refetch()} />;
  const experiments = lists.flatMap((one) => (one.data ? [one.data] : []));
  if (experiments.length < tasks.length || places.some((one) => one.isPending)) return <Skeleton lines={10} />;
  const shown = places.map((one) => one.data);
  return <Shown tasks={tasks} experiments={experiments} shown={shown} search={search} onSearch={onSearch} />;
}

interface ShownProps extends WithProps {
  experiments: ExperimentItem[][];
  shown: (ExperimentDetail | undefined)[];
}

function Shown({ tasks, experiments, shown, search, onSearch }: ShownProps) {
  const all = search.all ?? false;
  const searches = useMemo(
    () => tasks.map((task, at) => searchOf(task.name, firstObjective(task.task), experiments[at] ?? [])),
    [tasks, experiments],
  );
  const hasOneObjective = new Set(tasks.map(({ task }) => canonical(firstObjective(task)))).size === 1;
  const [wantsRelative, setRelative] = useState(() => !isOneQuestion(tasks));
  const groups = taskGroups(tasks, searches, shown, all);
  const columns = tasks.map((task) => ({
    key: task.id,
    head: (
      <span className="inline-flex max-w-64 items-center gap-1">
        <Link
          to="/tasks/$task"
          params={{ task: task.id }}
          title={task.name}
          className="min-w-0 truncate text-accent hover:underline"
        >
          {task.name}
        </Link>
        <IconButton
          size="sm"
          label={words.remove(task.name)}
          icon={<X aria-hidden className="size-3.5" />}
          onClick={() => onSearch({ tasks: tasks.filter((one) => one.id !== task.id).map(({ id }) => id) })}
        />
      </span>
    ),
  }));
  return (
    <div className="space-y-3">
      <Doubts list={taskDoubts(tasks, shown)} />
      <Panel
        title={words.sideBySide}
        actions={
          <Switch
            label={words.differences}
            checked={!all}
            onChange={(only) => onSearch({ all: only ? undefined : true })}
          />
        }
        flush
      >
        <SideBySide label={words.sideBySide} corner={words.property} columns={columns} groups={groups} align="left" />
      </Panel>
      <SearchPlots
        searches={searches}
        hasOneObjective={hasOneObjective}
        isRelative={!hasOneObjective || wantsRelative}
        onRelative={setRelative}
      />
    </div>
  );
}
