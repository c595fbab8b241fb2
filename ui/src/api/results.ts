import { useQuery } from '@tanstack/react-query';
import { api, ask, send } from './client';
import { keys } from './keys';
import type { Insight, Report } from './types';

/** The report of a task: the verdict in words, every experiment with its levels and figures. */
export function useReport(task: string) {
  return useQuery({
    queryKey: keys.report(task),
    queryFn: ({ signal }) =>
      ask(api.GET('/api/tasks/{task}/report', { params: { path: { task } }, signal })) as unknown as Promise<Report>,
    // A new report is a new report: finding what stayed the same in thousands of levels costs more than drawing it.
    structuralSharing: false,
  });
}

/** What the experiments of a task taught. */
export function useInsight(task: string) {
  return useQuery({
    queryKey: keys.insight(task),
    queryFn: ({ signal }) =>
      ask(api.GET('/api/tasks/{task}/insight', { params: { path: { task } }, signal })) as unknown as Promise<Insight>,
  });
}

/** How the configuration of an experiment is started. */
export function useLaunch(task: string, number: number | null | undefined) {
  return useQuery({
    queryKey: keys.experimentPart(task, number ?? 0, 'launch'),
    queryFn: ({ signal }) => {
      const params = { path: { task, number: number ?? 0 } };
      return ask(api.GET('/api/tasks/{task}/experiments/{number}/launch', { params, signal }));
    },
    enabled: typeof number === 'number',
  });
}

/** Checks a stored task against the server's machine. What it finds may change without an event, so it is asked anew. */
export function useTaskCheck(task: string, enabled = true) {
  return useQuery({
    queryKey: keys.taskCheck(task),
    queryFn: ({ signal }) => ask(api.GET('/api/tasks/{task}/check', { params: { path: { task } }, signal })),
    select: (list) => list.items,
    staleTime: 0,
    enabled,
  });
}

export type ReportFormat = 'json' | 'markdown' | 'html';

/** The report as a file. */
export async function readReport(task: string, format: ReportFormat): Promise<string> {
  return (await send(`/api/tasks/${encodeURIComponent(task)}/report?format=${format}`, {})).text();
}
