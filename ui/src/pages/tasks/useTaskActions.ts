import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { deleteTask, useArchiveTask, useCancelTask, useResumeTask, useStartTask, useUnarchiveTask } from '@/api/tasks';
import type { TaskItem } from '@/api/types';
import { confirm } from '@/app/confirm';
import { toast, toastError } from '@/app/toasts';
import { deleteUndoably } from '@/app/undo';
import { tasks as words } from '@/text/tasks';
import type { TaskAction } from './counts';

/** Names a task that is being deleted, in the lists of such. */
export const deletionKey = (id: string) => `task ${id}`;

/** Does something with one task or many, one after the other; what fails is told, and the rest is done. */
export function useTaskActions() {
  const navigate = useNavigate();
  const start = useStartTask().mutateAsync;
  const resume = useResumeTask().mutateAsync;
  const cancel = useCancelTask().mutateAsync;
  const archive = useArchiveTask().mutateAsync;
  const unarchive = useUnarchiveTask().mutateAsync;

  const each = useCallback(async (chosen: readonly TaskItem[], run: (task: TaskItem) => Promise<unknown>) => {
    const failures: { task: TaskItem; error: unknown }[] = [];
    for (const task of chosen) await run(task).catch((error) => failures.push({ task, error }));
    const [first] = failures;
    if (!first) return;
    const title =
      chosen.length === 1 ? words.failedFor(first.task.name) : words.someFailed(failures.length, chosen.length);
    toastError(first.error, title);
  }, []);

  return useCallback(
    async (action: TaskAction, chosen: readonly TaskItem[]) => {
      const [first] = chosen;
      if (!first) return;
      const queue = (put: typeof start) => async (task: TaskItem) => {
        const { waits } = await put(task.id);
        if (waits) toast({ tone: 'warn', title: words.waits(task.name), text: waits });
      };
      switch (action) {
        case 'start':
          return each(chosen, queue(start));
        case 'resume':
          return each(chosen, queue(resume));
        case 'cancel': {
          const many = chosen.length > 1;
          const title = words.cancelTitle(chosen.length, first.name);
          const wanted = await confirm({
            title,
            text: words.cancelText,
            action: many ? words.cancelActionMany : words.cancelAction,
            danger: true,
          });
          if (wanted) await each(chosen, (task) => cancel(task.id));
          return;
        }
        case 'archive':
          return each(chosen, (task) => archive(task.id));
        case 'unarchive':
          return each(chosen, (task) => unarchive(task.id));
        case 'edit':
          return navigate({ to: '/tasks/$task/edit', params: { task: first.id } });
        case 'remove': {
          const title = words.deleteTitle(chosen.length);
          const question = { title, text: words.deleteText, action: words.deleteMany, danger: true };
          if (chosen.length > 1 && !(await confirm(question))) return;
          for (const { id, name } of chosen) {
            deleteUndoably({ key: deletionKey(id), what: words.task(name), run: () => deleteTask(id) });
          }
        }
      }
    },
    [each, navigate, start, resume, cancel, archive, unarchive],
  );
}
