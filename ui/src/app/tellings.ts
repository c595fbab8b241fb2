import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useSessions } from '@/api/agent';
import { keys } from '@/api/keys';
import type { TaskItem } from '@/api/types';
import { useServerEvents } from '@/events';
import { states } from '@/text/common';
import { shell } from '@/text/shell';
import { notify } from './notify';
import { toast } from './toasts';

/** Tells people what needs their attention, wherever they are: ended tasks, and calls that wait for them. */
export function useTellings() {
  const client = useQueryClient();
  useServerEvents((event) => {
    if (event.kind !== 'task_ended' || event.task === undefined) return;
    // What is caught up after a long absence is no news.
    if (Date.now() - Date.parse(event.at) > 10 * 60_000) return;
    const name = nameOf(client.getQueriesData({ queryKey: keys.tasks }), event.task);
    const path = `/tasks/${event.task}`;
    notify(shell.notifications.taskEnded(name, states[event.status]), { body: event.failure, tag: event.task, path });
    if (event.status === 'failed') toast({ tone: 'bad', title: shell.taskFailed(name), text: event.failure });
  });

  const { data } = useSessions();
  const waiting = data?.reduce((sum, session) => sum + session.waiting, 0);
  const before = useRef(waiting);
  useEffect(() => {
    if (waiting !== undefined && before.current !== undefined && waiting > before.current) {
      const session = data?.find((one) => one.waiting > 0);
      const path = session && `/chat/${session.id}`;
      notify(shell.notifications.waiting, { body: shell.waiting(waiting), tag: 'waiting', path });
    }
    before.current = waiting;
  }, [waiting, data]);
}

function nameOf(kept: [unknown, unknown][], id: string): string {
  for (const [, data] of kept) {
    const tasks: Partial<TaskItem>[] = Array.isArray(data) ? data : data ? [data] : [];
    const found = tasks.find((task) => task.id === id)?.name;
    if (found) return found;
  }
  return id.slice(0, 8);
}
