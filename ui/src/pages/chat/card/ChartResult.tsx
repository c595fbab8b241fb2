import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { Skeleton } from '@/components/States';
import { YamlView } from '@/components/Tree';
import { readView } from '@/plots/view';
import { chat } from '@/text/chat';
import { isRecord, readResult } from '../state/result';

const TaskView = lazy(async () => ({ default: (await import('@/plots/TaskView')).TaskView }));

/** The plot that a call shows, drawn by the page's own components; what they cannot draw is shown as what it is. */
export function ChartResult({ told }: { told: string }) {
  const [raw, view] = useMemo(() => {
    const { value } = readResult(told);
    const found = isRecord(value) ? value.view : undefined;
    return [found, readView(found)];
  }, [told]);
  if (raw === undefined) return null;
  if (!view) return <YamlView value={raw} label={chat.card.chart} />;
  return (
    <>
      <Suspense fallback={<Skeleton className="w-full" lines={6} />}>
        <TaskView view={view} height={280} />
      </Suspense>
      <Link
        to="/tasks/$task"
        params={{ task: view.task_id }}
        className="mt-1 inline-block text-xs text-accent hover:underline"
      >
        {chat.card.openTask}
      </Link>
    </>
  );
}
