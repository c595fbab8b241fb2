import type { WorkerItem } from '@/api/types';
import { cx } from '@/components/cx';
import { workers as text } from '@/text/workers';

/** More slots than this are told by a number alone. */
const MOST = 8;

/** Slots in use: a box each, and in words. */
export function Slots({ worker }: { worker: WorkerItem }) {
  const words = text.slotsOf(worker.busy_slots, worker.slots);
  return (
    <span className="flex items-center gap-2" title={words}>
      {worker.slots <= MOST && (
        <span aria-hidden className="flex gap-0.5">
          {Array.from({ length: worker.slots }, (_, n) => (
            <span
              key={n}
              className={cx(
                'size-2.5 rounded-[2px] border',
                n < worker.busy_slots ? 'border-accent bg-accent' : 'border-edge',
              )}
            />
          ))}
        </span>
      )}
      <span>{words}</span>
    </span>
  );
}
