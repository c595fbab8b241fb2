import type { ExperimentItem, JobItem, TaskDetail, TaskItem } from '@/api/types';
import type { Block } from '@/components/Progress';

/** More experiments than this are shown as shares. */
export const MOST_BLOCKS = 60;

/** What a list needs of an experiment to draw its block. */
export const BLOCK_FIELDS = ['number', 'role', 'outcome'] as const;

export function total(counts: Record<string, number>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}

export function ended(counts: Record<string, number>): number {
  return total(counts) - (counts.open ?? 0);
}

export function blocksOf(items: readonly Pick<ExperimentItem, 'number' | 'outcome'>[]): Block[] {
  return items.map(({ number, outcome }) => ({ number, state: outcome }));
}

/**
 * Experiments that the budget still allows; none where it does not say or the task has ended. Verification comes on top of the
 * budget and is not foretold.
 */
export function remainingOf(
  task: Pick<TaskDetail, 'status' | 'task'> | undefined,
  items: readonly Pick<ExperimentItem, 'role'>[] | undefined,
  counts: Record<string, number>,
): number {
  if (!task || task.status === 'completed') return 0;
  const searched = items ? items.filter(({ role }) => role.kind !== 'verify').length : total(counts);
  return Math.max(0, task.task.budget.experiments - searched);
}

export type TaskWord = TaskItem['status'] | 'queued';

/** Tasks that wait for a worker: their status is still `pending`. */
export function queuedTasks(jobs: readonly JobItem[] | undefined): ReadonlySet<string> {
  return new Set((jobs ?? []).flatMap((job) => (job.status === 'queued' && job.task ? [job.task] : [])));
}

export type TaskAction = 'start' | 'cancel' | 'resume' | 'edit' | 'archive' | 'unarchive' | 'remove';

type Standing = Pick<TaskItem, 'status'> & { isQueued: boolean; isArchived: boolean };

/** What may be done with a task as it stands. */
export function allowed({ status, isQueued, isArchived }: Standing): ReadonlySet<TaskAction> {
  const works = status === 'running' || status === 'cancelling' || isQueued;
  const may = new Set<TaskAction>();
  if (status === 'pending' && !isQueued) may.add('start');
  if (status === 'failed' || status === 'cancelled') may.add('resume');
  if (status === 'running' || isQueued) may.add('cancel');
  if (!works) {
    may.add('edit').add('remove');
    may.add(isArchived ? 'unarchive' : 'archive');
  }
  return may;
}
