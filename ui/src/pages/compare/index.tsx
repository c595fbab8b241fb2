import { getRouteApi } from '@tanstack/react-router';
import { ListChecks } from 'lucide-react';
import { useState } from 'react';
import { useTask } from '@/api/tasks';
import { useTitle } from '@/app/title';
import { Button } from '@/components/Button';
import { PageHead } from '@/components/Card';
import { CopyButton } from '@/components/Copy';
import { ErrorView, Loaded } from '@/components/States';
import { compare as words } from '@/text/compare';
import { ExperimentsCompare } from './ExperimentsCompare';
import { MOST, Picker } from './Picker';
import type { Search } from './search';
import { TasksCompare } from './TasksCompare';

const route = getRouteApi('/compare');

export default function ComparePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [isChoosing, setChoosing] = useState(false);
  const onSearch = (change: Partial<Search>) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false });
  const { task, tasks, sel } = search;
  const isTasks = (tasks?.length ?? 0) >= 2;
  const isExperiments = !isTasks && task !== undefined && (sel?.length ?? 0) >= 2;
  const isReady = (isTasks || isExperiments) && !isChoosing;
  const tooMany = isReady && ((isTasks ? tasks : sel)?.length ?? 0) > MOST;
  useTitle(words.title);

  return (
    <>
      <PageHead
        title={words.title}
        note={isReady ? isTasks ? words.tasks : <TaskName wanted={task ?? ''} /> : undefined}
        actions={
          isReady && (
            <>
              <CopyButton size="md" withLabel label={words.share} text={() => window.location.href} />
              <Button icon={<ListChecks aria-hidden className="size-4" />} onClick={() => setChoosing(true)}>
                {words.change}
              </Button>
            </>
          )
        }
      />
      {tooMany && (
        <p role="status" className="mb-3 text-warn">
          {words.tooMany}
        </p>
      )}
      {!isReady ? (
        <Picker search={search} onSearch={onSearch} onDone={() => setChoosing(false)} />
      ) : isTasks ? (
        <TasksCompare ids={(tasks ?? []).slice(0, MOST)} search={search} onSearch={onSearch} />
      ) : (
        <OfTask wanted={task ?? ''} numbers={(sel ?? []).slice(0, MOST)} search={search} onSearch={onSearch} />
      )}
    </>
  );
}

function TaskName({ wanted }: { wanted: string }) {
  const task = useTask(wanted);
  return <>{words.experimentsOf(task.data?.name ?? wanted)}</>;
}

interface OfTaskProps {
  wanted: string;
  numbers: number[];
  search: Search;
  onSearch: (change: Partial<Search>) => void;
}

function OfTask({ wanted, numbers, search, onSearch }: OfTaskProps) {
  const task = useTask(wanted);
  if (task.error && !task.data) return <ErrorView error={task.error} onRetry={() => void task.refetch()} />;
  return (
    <Loaded of={task}>
      {(found) => <ExperimentsCompare task={found} numbers={numbers} search={search} onSearch={onSearch} />}
    </Loaded>
  );
}
