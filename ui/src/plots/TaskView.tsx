import { Suspense, useMemo } from 'react';
import { Loaded, Skeleton } from '@/components/States';
import type { PlotTask } from './data/points';
import { REGISTRY, type ViewSpec } from './registry';
import { useTaskPlot } from './useTaskPlot';

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
  const empty = <Skeleton className="w-full" lines={6} />;
  return (
    <Loaded of={{ ...plot, data: task }} skeleton={empty}>
      {(shown) => (
        <Suspense fallback={empty}>
          <Plot task={shown} x={view.x ?? undefined} y={view.y ?? undefined} height={height} />
        </Suspense>
      )}
    </Loaded>
  );
}
