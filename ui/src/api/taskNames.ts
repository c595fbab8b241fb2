import { useMemo } from 'react';
import { useTasks } from './tasks';
import type { TaskItem } from './types';

/** Tasks by id, archived and replaced ones too: other lists name their tasks by id. */
export function useTasksById(): ReadonlyMap<string, TaskItem> {
  const { data } = useTasks({ archived: 'all', replaced: true });
  return useMemo(() => new Map((data ?? []).map((task) => [task.id, task])), [data]);
}
