import { Ellipsis } from 'lucide-react';
import type { WorkerItem } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Menu, type MenuItem } from '@/components/Menu';
import { workers as text } from '@/text/workers';
import { workerName } from './describe';
import { useWorkerActions } from './useWorkerActions';

/** What a worker may be asked. */
export function WorkerMenu({ worker }: { worker: WorkerItem }) {
  const { ask, remove, busy } = useWorkerActions();
  const wish = (asked: WorkerItem['asked']): MenuItem => ({
    label: text.ask[asked],
    disabled: busy || worker.asked === asked,
    onSelect: () => void ask(worker, asked),
  });
  const items: MenuItem[] = worker.alive
    ? [...(worker.asked === 'run' ? [] : [wish('run')]), wish('drain'), wish('restart'), wish('stop')]
    : [{ label: text.remove, danger: true, onSelect: () => remove(worker) }];
  return (
    <Menu items={items}>
      <IconButton size="sm" label={text.more(workerName(worker))} icon={<Ellipsis aria-hidden className="size-4" />} />
    </Menu>
  );
}
