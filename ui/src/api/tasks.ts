import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api, ask, keyed, send } from './client';
import { keys } from './keys';
import { all } from './page';
import { useAction } from './query';
import type { TaskDetail, TaskItem, TaskStatus } from './types';

export interface TaskFilter {
  status?: TaskStatus[];
  engine?: string[];
  name?: string;
  archived?: 'no' | 'only' | 'all';
  replaced?: boolean;
}

function taskQueryOf(filter: TaskFilter, cursor: string | undefined, limit: number) {
  return {
    status: filter.status?.join() || undefined,
    engine: filter.engine?.join() || undefined,
    name: filter.name || undefined,
    archived: filter.archived,
    replaced: filter.replaced,
    cursor,
    limit,
  };
}

/** All tasks, newest first. */
export function useTasks(filter: TaskFilter = {}) {
  return useQuery({
    queryKey: keys.taskList(filter),
    queryFn: ({ signal }) =>
      all((cursor) => {
        const query = taskQueryOf(filter, cursor, 500);
        return ask(api.GET('/api/tasks', { params: { query }, signal })) as Promise<{ items: TaskItem[] }>;
      }),
  });
}

/** Tasks, newest first, part by part. */
export function useTaskPages(filter: TaskFilter) {
  return useInfiniteQuery({
    queryKey: keys.taskPages(filter),
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = taskQueryOf(filter, pageParam, 500);
      return ask(api.GET('/api/tasks', { params: { query }, signal })) as Promise<{
        items: TaskItem[];
        next_cursor?: string | null;
      }>;
    },
    getNextPageParam: (part) => part.next_cursor ?? undefined,
    // The rows of an earlier filter stay until those of the new one are there.
    placeholderData: (before) => before,
  });
}

/** A task by id, name or beginning of an id. */
export function taskQuery(task: string) {
  return {
    queryKey: keys.task(task),
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      ask(api.GET('/api/tasks/{task}', { params: { path: { task } }, signal })) as unknown as Promise<TaskDetail>,
  };
}

export function useTask(task: string) {
  return useQuery(taskQuery(task));
}

export function useRevisions(task: string) {
  return useQuery({
    queryKey: keys.revisions(task),
    queryFn: ({ signal }) => ask(api.GET('/api/tasks/{task}/revisions', { params: { path: { task } }, signal })),
    select: (list) => list.items,
  });
}

const of = (task: string, key: string) => ({ path: { task }, header: keyed(key) });

export function useStartTask() {
  return useAction({
    run: (task: string, key) => ask(api.POST('/api/tasks/{task}/start', { params: of(task, key) })),
  });
}

export function useResumeTask() {
  return useAction({
    run: (task: string, key) => ask(api.POST('/api/tasks/{task}/resume', { params: of(task, key) })),
  });
}

export function useCancelTask() {
  return useAction({
    run: (task: string, key) => ask(api.POST('/api/tasks/{task}/cancel', { params: of(task, key) })),
  });
}

export function useArchiveTask() {
  return useAction({
    run: (task: string, key) => ask(api.POST('/api/tasks/{task}/archive', { params: of(task, key) })),
  });
}

export function useUnarchiveTask() {
  return useAction({
    run: (task: string, key) => ask(api.POST('/api/tasks/{task}/unarchive', { params: of(task, key) })),
  });
}

export function useCloneTask() {
  return useAction({
    run: ({ task, name }: { task: string; name?: string }, key) =>
      ask(api.POST('/api/tasks/{task}/clone', { params: of(task, key), body: name ? { name } : null })),
  });
}

/** Deletes at once. Where a person asks, let it be undone: `useUndoableDelete` in `src/app/undo.ts`. */
export function deleteTask(task: string): Promise<unknown> {
  return ask(api.DELETE('/api/tasks/{task}', { params: { path: { task } } }));
}

const YAML = { 'content-type': 'application/yaml' };

/** Stores a document as a new task. */
export function useCreateTask() {
  return useAction({
    run: async (text: string, key) => {
      const answer = await send('/api/tasks', { method: 'POST', body: text, headers: YAML, key });
      return (await answer.json()) as TaskItem;
    },
  });
}

/** Stores a document as the next revision of a task. */
export function useEditTask() {
  return useAction({
    run: async ({ task, text }: { task: string; text: string }) => {
      const path = `/api/tasks/${encodeURIComponent(task)}`;
      return (await (await send(path, { method: 'PUT', body: text, headers: YAML })).json()) as TaskItem;
    },
  });
}

/** Names of tasks with this in them, archived ones too: what is free. */
export async function taskNames(contains: string, signal?: AbortSignal): Promise<string[]> {
  const query = { name: contains, archived: 'all', limit: 500 } as const;
  const part = await ask(api.GET('/api/tasks', { params: { query }, signal }));
  return part.items.map((item) => item.name);
}

/** The id of the task that has a name; null if it is free. */
export function useTaskNamed(name: string) {
  return useQuery({
    queryKey: keys.taskList({ named: name }),
    queryFn: async ({ signal }) => {
      const query = { name, archived: 'all', limit: 500 } as const;
      const part = await ask(api.GET('/api/tasks', { params: { query }, signal }));
      return part.items.find((item) => item.name === name)?.id ?? null;
    },
    enabled: name !== '',
  });
}
