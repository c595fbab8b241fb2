import { useBlocker, useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import type { ApiError } from '@/api/error';
import { useCreateTask, useEditTask, useStartTask } from '@/api/tasks';
import type { TaskDetail } from '@/api/types';
import { confirm } from '@/app/confirm';
import { toast, toastError } from '@/app/toasts';
import type { DocumentStore } from '@/document/store';
import { editor as words } from '@/text/editor';
import { dropDraft } from './draft';

export interface Save {
  run: (start: boolean) => void;
  isBusy: boolean;
  /** It is stored, and the page is about to be left. */
  isDone: boolean;
  error: ApiError | null;
  /** A name that the server refused because another task has it. */
  takenName: string | null;
}

interface SaveOptions {
  task: TaskDetail | undefined;
  scope: string;
  store: DocumentStore;
  /** The server finds the document wrong. */
  onInvalid: () => void;
}

/** Stores the document as a new task or the next revision, starts it where that is wanted, and goes there. */
export function useSave({ task, scope, store, onInvalid }: SaveOptions): Save {
  const navigate = useNavigate();
  const create = useCreateTask();
  const edit = useEditTask();
  const start = useStartTask();
  const [isDone, setDone] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [takenName, setTaken] = useState<string | null>(null);
  const under = useRef(false);

  const run = async (andStart: boolean) => {
    if (under.current) return;
    under.current = true;
    setError(null);
    setTaken(null);
    const { text, parsed } = store.state;
    try {
      const made = await (task ? edit.mutateAsync({ task: task.id, text }) : create.mutateAsync(text));
      setDone(true);
      dropDraft(scope);
      if (andStart) await begin(made.id);
      await navigate({ to: '/tasks/$task', params: { task: made.id }, ignoreBlocker: true });
    } catch (thrown) {
      const told = thrown as ApiError;
      setError(told);
      if (told.code === 'name_taken') setTaken(String(parsed.value.name ?? ''));
      if (told.code === 'invalid_task') onInvalid();
    } finally {
      under.current = false;
    }
  };
  // The task is stored by then: what goes wrong is told where the person is led.
  const begin = async (id: string) => {
    try {
      const { waits } = await start.mutateAsync(id);
      if (waits) toast({ tone: 'warn', title: words.waits, text: waits, stays: true });
    } catch (thrown) {
      toastError(thrown, words.notStarted);
    }
  };
  return {
    run: (andStart) => void run(andStart),
    isBusy: create.isPending || edit.isPending || start.isPending,
    isDone,
    error,
    takenName,
  };
}

/**
 * Asks before what is not saved is left; a draft of it stays in this browser. Other search parameters leave it only where the
 * editor is part of a page that has more to show.
 */
export function useLeaveGuard(isChanged: boolean, isPartOfPage = false) {
  useBlocker({
    shouldBlockFn: async ({ current, next }) => {
      if (!isChanged || (current.pathname === next.pathname && !isPartOfPage)) return false;
      return !(await confirm({ title: words.leave, text: words.leaveText, action: words.leaveAction }));
    },
    enableBeforeUnload: isChanged,
  });
}
