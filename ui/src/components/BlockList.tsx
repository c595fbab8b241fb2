import { type KeyboardEvent, type ReactNode, useId, useState } from 'react';
import { states } from '@/text/common';
import { components } from '@/text/components';
import { cx } from './cx';
import { BLOCK_FILLS, type Block } from './Progress';

interface BlockListProps {
  label: string;
  blocks: readonly Block[];
  /** Experiments that the budget still allows. */
  remaining?: number;
  /** Words below the bar; while a block is pointed at, that one is told there instead. */
  note?: ReactNode;
  onOpen: (number: number) => void;
}

/** Widest a block gets with its gap, px. */
const PITCH = 13;

const word = (block: Block) => (block.state === 'waiting' ? components.remaining : states[block.state]);

/** One block per experiment, each to be opened: by pointer, or with the arrow keys and Enter. */
export function BlockList({ label, blocks, remaining = 0, note, onOpen }: BlockListProps) {
  const id = useId();
  const [active, setActive] = useState<number | null>(null);
  const at = active === null ? null : Math.min(active, blocks.length - 1);
  const shown = at === null ? undefined : blocks[at];
  const onKey = (event: KeyboardEvent) => {
    const from = at ?? 0;
    const steps: Record<string, number> = {
      ArrowRight: from + 1,
      ArrowLeft: from - 1,
      Home: 0,
      End: blocks.length - 1,
    };
    const step = steps[event.key];
    if (step !== undefined) setActive(Math.max(0, Math.min(blocks.length - 1, step)));
    else if ((event.key === 'Enter' || event.key === ' ') && shown) onOpen(shown.number);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="w-full min-w-0">
      <div className="flex h-3.5 min-w-0 items-stretch gap-px">
        <div
          role="listbox"
          aria-orientation="horizontal"
          aria-label={label}
          aria-activedescendant={shown ? `${id}-${shown.number}` : undefined}
          tabIndex={blocks.length ? 0 : -1}
          onKeyDown={onKey}
          onFocus={() => at === null && setActive(0)}
          onBlur={() => setActive(null)}
          onMouseLeave={() => setActive(null)}
          className="flex min-w-0 items-stretch gap-px"
          style={{ flex: `${blocks.length} 1 0`, maxWidth: blocks.length * PITCH }}
        >
          {blocks.map((block, index) => (
            <div
              key={block.number}
              id={`${id}-${block.number}`}
              role="option"
              aria-selected={index === at}
              aria-label={components.block(block.number, word(block))}
              onMouseEnter={() => setActive(index)}
              onClick={(event) => {
                event.stopPropagation();
                onOpen(block.number);
              }}
              className={cx(
                'flex min-w-[2px] max-w-3 flex-1 cursor-pointer items-stretch rounded-[2px]',
                index === at && 'bg-accent-soft ring-2 ring-accent',
              )}
            >
              <span className={cx('w-full rounded-[1px]', BLOCK_FILLS[block.state])} />
            </div>
          ))}
        </div>
        {remaining > 0 && (
          <div
            aria-hidden
            className="flex min-w-0 items-stretch gap-px"
            style={{ flex: `${remaining} 1 0`, maxWidth: remaining * PITCH }}
          >
            {Array.from({ length: remaining }, (_, n) => (
              <span key={n} className={cx('min-w-[2px] max-w-3 flex-1 rounded-[1px]', BLOCK_FILLS.waiting)} />
            ))}
          </div>
        )}
      </div>
      <div aria-hidden={shown !== undefined} className="truncate text-xs leading-4 text-muted">
        {shown ? components.block(shown.number, word(shown)) : note}
      </div>
    </div>
  );
}
