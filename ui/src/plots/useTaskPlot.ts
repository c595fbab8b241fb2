import { useMemo } from 'react';
import { useExperiments } from '@/api/experiments';
import { useReport } from '@/api/results';
import { useTask } from '@/api/tasks';
import { type PlotTask, plotTask } from './data/points';

/** What plots of a task draw from. The list of experiments is there at once, the figures of their levels a moment later. */
export function useTaskPlot(task: string) {
  const detail = useTask(task);
  const id = detail.data?.id ?? task;
  const list = useExperiments(id);
  const report = useReport(id);
  const data = useMemo<PlotTask | undefined>(
    () => (detail.data && list.data ? plotTask(detail.data, list.data, report.data) : undefined),
    [detail.data, list.data, report.data],
  );
  return {
    data,
    error: detail.error ?? list.error,
    isPending: data === undefined,
    refetch: () => Promise.all([detail.refetch(), list.refetch(), report.refetch()]),
    report,
  };
}
