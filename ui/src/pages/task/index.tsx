import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useDeferredValue, useEffect, useMemo } from 'react';
import { useJobs } from '@/api/jobs';
import { useTask } from '@/api/tasks';
import type { TaskDetail } from '@/api/types';
import { useTitle } from '@/app/title';
import { ErrorView, Loaded, Skeleton } from '@/components/States';
import { Tabs } from '@/components/Tabs';
import { quantities } from '@/plots/data/axes';
import type { PlotTask } from '@/plots/data/points';
import { useTaskPlot } from '@/plots/useTaskPlot';
import { shell } from '@/text/shell';
import { task as words } from '@/text/task';
import { Checks } from './Checks';
import { ConfigurationTab } from './ConfigurationTab';
import { EventsTab } from './EventsTab';
import { ExperimentsTab } from './ExperimentsTab';
import { FilterBar } from './FilterBar';
import { filterText, matcher, parseFilter, withTerm } from './filter';
import { Head } from './Head';
import { MethodTab } from './MethodTab';
import { PlotsTab } from './PlotsTab';
import { ProgressPanel } from './ProgressPanel';
import { SelectionBar } from './SelectionBar';
import type { Search, TabWord } from './search';
import { VerdictPanel } from './VerdictPanel';

const route = getRouteApi('/tasks/$task');
const QUEUED = { status: ['queued' as const, 'running' as const], kind: ['run_task'] };

/** A task: the answer first, then everything that it rests on. */
export default function TaskPage() {
  const { task: wanted } = route.useParams();
  const detail = useTask(wanted);
  useTitle(detail.data?.name ?? shell.pages.task);
  const { tab = 'plots' } = route.useSearch();
  useEffect(() => {
    // The drawing library is large: it comes beside the data, not after it.
    if (tab === 'plots') void import('@/plots/echarts');
  }, [tab]);
  return (
    <Loaded of={detail} skeleton={<Skeleton lines={10} />}>
      {(task) => <Shown key={task.id} task={task} />}
    </Loaded>
  );
}

function Shown({ task }: { task: TaskDetail }) {
  const jobs = useJobs(QUEUED);
  const isQueued = (jobs.data ?? []).some((job) => job.task === task.id && job.status === 'queued');
  const plot = useTaskPlot(task.id);
  return (
    <>
      <Head task={task} isQueued={isQueued} />
      <Loaded of={plot} skeleton={<Skeleton lines={10} />}>
        {(data) => <Content task={task} plot={data} plotState={plot} isQueued={isQueued} />}
      </Loaded>
    </>
  );
}

interface ContentProps {
  task: TaskDetail;
  plot: PlotTask;
  plotState: ReturnType<typeof useTaskPlot>;
  isQueued: boolean;
}

function Content({ task, plot, plotState, isQueued }: ContentProps) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const report = plotState.report.data;
  const set = useCallback(
    (next: Partial<Search>) =>
      void navigate({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false }),
    [navigate],
  );
  const known = useMemo(() => quantities(plot), [plot]);
  const terms = useMemo(() => parseFilter(search.filter), [search.filter]);
  const shown = useMemo(() => {
    if (terms.length === 0) return plot;
    const matches = matcher(terms, known);
    return { ...plot, points: plot.points.filter(matches) };
  }, [plot, terms, known]);
  // Ten plots that redraw must not hold up the table or a click.
  const drawn = useDeferredValue(shown);
  const isLive = task.status === 'running' || task.status === 'cancelling';
  const tab: TabWord = search.tab ?? 'plots';
  const all = plot.points.length;
  const bar = all > 0 && (
    <FilterBar
      points={plot.points}
      shown={shown.points.length}
      known={known}
      terms={terms}
      onChange={(next) => set({ filter: filterText(next) })}
    />
  );
  const tabs: [TabWord, React.ReactNode][] = [
    [
      'plots',
      <>
        {bar}
        <PlotsTab task={drawn} all={all} search={search} onSearch={set} />
      </>,
    ],
    [
      'experiments',
      <>
        {bar}
        <ExperimentsTab task={shown} known={known} all={all} sort={search.sort} onSort={(sort) => set({ sort })} />
      </>,
    ],
    ['events', <EventsTab key="events" task={task.id} />],
    ['configuration', <ConfigurationTab key="configuration" task={task} />],
    [
      'method',
      <Loaded key="method" of={plotState.report}>
        {(it) => <MethodTab report={it} />}
      </Loaded>,
    ],
  ];
  return (
    <>
      <div className="mb-4 space-y-3">
        {isLive && <ProgressPanel task={task} plot={plot} />}
        {isQueued && task.status === 'pending' && <p className="text-muted">{words.progress.queued}</p>}
        {!isLive && task.status !== 'pending' && <VerdictPanel task={task} plot={plot} report={report} />}
        {(task.status === 'pending' || task.status === 'failed') && !isQueued && <Checks task={task} />}
        {plotState.report.error && !report && (
          <ErrorView error={plotState.report.error} onRetry={() => void plotState.report.refetch()} />
        )}
      </div>
      <Tabs
        label={words.sections}
        value={tab}
        onChange={(value) => set({ tab: value === 'plots' ? undefined : (value as TabWord) })}
        tabs={tabs.map(([value, content]) => ({ value, content, label: words.tabs[value] }))}
      />
      <SelectionBar
        task={plot}
        report={report}
        onOnly={(numbers) =>
          set({ filter: filterText(withTerm(terms, { field: 'number', op: '=', values: numbers.map(String) })) })
        }
      />
    </>
  );
}
