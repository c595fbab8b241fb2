import { useMemo } from 'react';
import { Loaded, Skeleton } from '@/components/States';
import type { PlotTask } from './data/points';
import { REGISTRY } from './registry';
import { useTaskPlot } from './useTaskPlot';
import type { ViewSpec } from './view';

/** Only some experiments of a task. */
export function only(task: PlotTask, numbers: readonly number[] | null | undefined): PlotTask {
  if (!numbers?.length) return task;
  const wanted = new Set(numbers);
  return { ...task, points: task.points.filter((point) => wanted.has(point.number)) };
}

/** A plot of a task as a view specification says, wherever on the page: `<TaskView view={{ task_id, kind: 'history' }} />`. */
export function TaskView({ view, height = 300 }: { view: ViewSpec; height?: number }) {
  const plot = useTaskPlot(view.task_id);
  const task = useMemo(() => plot.data && only(plot.data, view.experiments), [plot.data, view.experiments]);
  const Plot = REGISTRY[view.kind];
  return (
    <Loaded of={{ ...plot, data: task }} skeleton={<Skeleton className="w-full" lines={6} />}>
      {(shown) => <Plot task={shown} x={view.x ?? undefined} y={view.y ?? undefined} height={height} />}
    </Loaded>
  );
}
