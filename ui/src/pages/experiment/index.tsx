import { getRouteApi } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useExperiment } from '@/api/experiments';
import { useTask } from '@/api/tasks';
import type { ExperimentDetail, TaskDetail } from '@/api/types';
import { useTitle } from '@/app/title';
import { Empty, ErrorView, Loaded } from '@/components/States';
import { type Tab as OneTab, Tabs } from '@/components/Tabs';
import { useCourse } from '@/events/course';
import { levelName as nameOfLevel } from '@/format';
import { experiment as words } from '@/text/experiment';
import { Actions } from './Actions';
import { CommandTab } from './CommandTab';
import { EnvironmentTab } from './EnvironmentTab';
import { Head } from './Head';
import { LogTab } from './LogTab';
import { Overview } from './Overview';
import { RequestsTab } from './RequestsTab';
import { SeriesTab } from './SeriesTab';
import { type Search, TABS, type Tab } from './search';
import { useNeighbours, useWalkingKeys } from './useNeighbours';

const route = getRouteApi('/tasks/$task/experiments/$number');

export default function ExperimentPage() {
  const { task: wanted, number: word } = route.useParams();
  const number = Number(word);
  const task = useTask(wanted);
  useTitle(task.data ? words.titleOf(number, task.data.name) : words.title(number));
  if (!Number.isSafeInteger(number) || number < 1) return <Empty title={words.noNumber} />;
  if (task.error && !task.data) return <ErrorView error={task.error} onRetry={() => void task.refetch()} />;
  return <Loaded of={task}>{(found) => <OfTask task={found} number={number} />}</Loaded>;
}

function OfTask({ task, number }: { task: TaskDetail; number: number }) {
  const detail = useExperiment(task.id, number);
  return <Loaded of={detail}>{(found) => <Shown task={task} detail={found} />}</Loaded>;
}

function Shown({ task, detail }: { task: TaskDetail; detail: ExperimentDetail }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { experiment } = detail;
  const { number, attempts } = experiment;
  const events = useCourse(task.id, number);
  const neighbours = useNeighbours(task.id, number);

  const onSearch = useCallback(
    (change: Partial<Search>) =>
      void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false }),
    [navigate],
  );
  const go = useCallback(
    (to: number) =>
      void navigate({
        params: (old) => ({ ...old, number: String(to) }),
        search: (old) => ({ ...old, attempt: undefined }),
        resetScroll: false,
      }),
    [navigate],
  );
  useWalkingKeys(neighbours, go);
  const { levels } = task.task.load;
  const levelName = useCallback((level: number) => nameOfLevel(levels[level]), [levels]);

  const asked = attempts.find((attempt) => attempt.number === search.attempt);
  const measured = asked ?? attempts.findLast((attempt) => attempt.measurements.length > 0);
  const onAttempt = (attempt: number) => onSearch({ attempt });
  const isOpen = experiment.outcome === undefined;
  const content: Record<Tab, () => React.ReactNode> = {
    overview: () => (
      <Overview
        task={task}
        detail={detail}
        baseline={neighbours.baseline}
        attempt={measured}
        events={events}
        levelName={levelName}
        search={search}
        onSearch={onSearch}
      />
    ),
    series: () => <SeriesTab task={task.id} number={number} isOpen={isOpen} />,
    command: () => <CommandTab task={task.id} number={number} attempt={asked ?? attempts.at(-1)} />,
    log: () => (
      <LogTab task={task.id} number={number} attempts={attempts} attempt={search.attempt} onAttempt={onAttempt} />
    ),
    requests: () => <RequestsTab task={task.id} number={number} />,
    environment: () => <EnvironmentTab attempts={attempts} levelName={levelName} />,
  };
  const shown = search.tab ?? 'overview';
  const tabs = TABS.map(
    (tab): OneTab => ({
      value: tab,
      label: words.tabs[tab],
      content: tab === shown ? content[tab]() : null,
    }),
  );
  return (
    <>
      <Head
        task={task}
        experiment={experiment}
        neighbours={neighbours}
        onGo={go}
        actions={<Actions task={task} experiment={experiment} baseline={neighbours.baseline} />}
      />
      <Tabs
        label={words.title(number)}
        tabs={tabs}
        value={shown}
        onChange={(tab) => onSearch({ tab: tab === 'overview' ? undefined : (tab as Search['tab']) })}
      />
    </>
  );
}
