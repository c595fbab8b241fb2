import { useQueries } from '@tanstack/react-query';
import { api, ask } from '@/api/client';
import type { ExperimentField } from '@/api/experiments';
import { keys } from '@/api/keys';
import type { ExperimentItem, TaskItem } from '@/api/types';
import type { DayExperiment } from './day';

const FIELDS: readonly ExperimentField[] = ['number', 'outcome', 'created_at', 'ended_at'];
/** The newest of each task are read. */
export const NEWEST = 500;

/** The newest experiments of each of these tasks; events keep them in step. */
export function useNewestExperiments(tasks: readonly TaskItem[]) {
  return useQueries({
    queries: tasks.map(({ id }) => ({
      queryKey: [...keys.experimentLists(id), 'newest'],
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<DayExperiment[]> => {
        const query = { fields: FIELDS.join(), sort: 'number', order: 'desc', limit: NEWEST };
        const params = { path: { task: id }, query };
        const part = await ask(api.GET('/api/tasks/{task}/experiments', { params, signal }));
        return part.items as unknown as ExperimentItem[];
      },
    })),
  });
}
