import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { experimentsQuery } from '@/api/experiments';
import { taskQuery } from '@/api/tasks';
import type { TaskItem } from '@/api/types';
import { BlockList } from '@/components/BlockList';
import { type BlockState, ShareBar } from '@/components/Progress';
import { tasks as words } from '@/text/tasks';
import { BLOCK_FIELDS, blocksOf, ended, MOST_BLOCKS, remainingOf, total } from './counts';

/** A row that is only scrolled past asks the server for nothing. */
const DWELL_MS = 150;

function useDwelt(): boolean {
  const [dwelt, setDwelt] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDwelt(true), DWELL_MS);
    return () => clearTimeout(timer);
  }, []);
  return dwelt;
}

/** A task with what changes of it while it runs: the row of a list is read again only when the task itself changes. */
export function useLiveTask(task: TaskItem, wanted: boolean) {
  const runs = task.status === 'running' || task.status === 'cancelling';
  const { data } = useQuery({ ...taskQuery(task.id), enabled: wanted && runs });
  return runs ? data : undefined;
}

/** How far a task is: a block per experiment that can be walked and opened, or shares where there are many. */
export function ProgressCell({ task }: { task: TaskItem }) {
  const navigate = useNavigate();
  const dwelt = useDwelt();
  const live = useLiveTask(task, dwelt);
  const counts = live?.experiments ?? task.experiments;
  const all = total(counts);
  const few = all > 0 && all <= MOST_BLOCKS;
  const list = useQuery({ ...experimentsQuery(task.id, BLOCK_FIELDS), enabled: dwelt && few });
  const remaining = remainingOf(live, list.data, counts);
  if (all === 0 && remaining === 0) return <span className="text-faint">–</span>;
  const note = remaining > 0 ? words.counts(ended(counts), all + remaining) : words.count(all);
  if (few && list.data && list.data.length + remaining <= MOST_BLOCKS) {
    return (
      <BlockList
        label={words.blocks(task.name)}
        blocks={blocksOf(list.data)}
        remaining={remaining}
        note={note}
        onOpen={(number) =>
          void navigate({
            to: '/tasks/$task/experiments/$number',
            params: { task: task.id, number: String(number) },
          })
        }
      />
    );
  }
  return (
    <div className="w-full min-w-0">
      <ShareBar counts={{ ...(counts as Partial<Record<BlockState, number>>), waiting: remaining }} />
      <div className="truncate text-xs leading-4 text-muted">{note}</div>
    </div>
  );
}
