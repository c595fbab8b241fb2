import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, ask } from '@/api/client';
import { keys } from '@/api/keys';
import type { TaskItem } from '@/api/types';
import { taskOf } from './card/effects';
import type { KnownTasks } from './markdown/experiments';
import type { Talk } from './state/talk';

const NEWEST = 200;

/** The newest tasks: those that people talk about. */
export function useNewestTasks() {
  return useQuery({
    queryKey: keys.taskList({ newest: NEWEST }),
    queryFn: async ({ signal }) => {
      const list = await ask(api.GET('/api/tasks', { params: { query: { limit: NEWEST } }, signal }));
      return (list as unknown as { items: TaskItem[] }).items;
    },
  });
}

/** Tasks that a conversation may name, and the only one that its calls are about. */
export function useKnownTasks(talk: Talk): KnownTasks {
  const { data } = useNewestTasks();
  const spoken = useMemo(() => {
    const found = new Set<string>();
    for (const call of talk.calls.values()) {
      const task = taskOf(call.args);
      if (task) found.add(task);
    }
    return [...found].join('\n');
  }, [talk.calls]);
  return useMemo(() => {
    const ids = new Map<string, string>();
    // The newest of a name is the one that a name means.
    for (const { id, name } of (data ?? []).toReversed()) {
      ids.set(id.toLowerCase(), id);
      ids.set(name.toLowerCase(), id);
    }
    const named = spoken === '' ? [] : spoken.split('\n');
    const meant = new Set(named.map((task) => ids.get(task.toLowerCase()) ?? task));
    const [only] = meant;
    return { ids, only: meant.size === 1 ? only : undefined };
  }, [data, spoken]);
}
