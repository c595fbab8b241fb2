import type { OutcomeWord } from '@/api/types';
import { states } from '@/text/common';
import { components } from '@/text/components';
import { cx } from './cx';

/** How far something is; without a value it only shows that it goes on. */
export function Progress({ value, label }: { value?: number; label: string }) {
  const share = value === undefined ? undefined : Math.max(0, Math.min(1, value));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === undefined ? undefined : Math.round(share * 100)}
      className="h-1.5 w-full overflow-hidden rounded-full bg-sunken"
    >
      <div
        className={cx('h-full rounded-full bg-accent', share === undefined && 'w-1/3 animate-pulse')}
        style={share === undefined ? undefined : { width: `${share * 100}%` }}
      />
    </div>
  );
}

export type BlockState = OutcomeWord | 'partial' | 'waiting';

/** Colour by state, and a fill or shape, so that no state is told by colour alone. */
export const BLOCK_FILLS: Record<BlockState, string> = {
  success: 'bg-[var(--state-success)]',
  partial: 'bg-[var(--state-partial)] dotted',
  open: 'bg-[var(--state-open)] animate-pulse',
  pruned: 'bg-[var(--state-pruned)] scale-y-50 origin-bottom',
  infeasible: 'bg-[var(--state-infeasible)] hatched',
  failed: 'bg-[var(--state-failed)] [clip-path:polygon(0_0,100%_0,50%_100%)]',
  cancelled: 'border border-[var(--state-cancelled)]',
  waiting: 'bg-[var(--state-waiting)] scale-y-[0.15] origin-bottom',
};

export interface Block {
  number: number;
  state: BlockState;
}

const ORDER: BlockState[] = ['success', 'partial', 'open', 'pruned', 'infeasible', 'failed', 'cancelled'];
/** More experiments than this are counted instead of drawn one by one. */
const MOST = 60;

function word(state: BlockState): string {
  return state === 'waiting' ? components.remaining : states[state];
}

function summary(counts: Partial<Record<BlockState, number>>): string {
  const parts = [...ORDER, 'waiting' as const].filter((state) => counts[state]);
  return components.blocks(parts.map((state) => `${counts[state]} ${word(state)}`).join(', '));
}

interface BlockBarProps {
  blocks: Block[];
  /** Experiments that the budget still allows. */
  remaining?: number;
  onOpen?: (number: number) => void;
}

/** One block per experiment; a task with many shows shares of the whole. */
export function BlockBar({ blocks, remaining = 0, onOpen }: BlockBarProps) {
  const counts: Partial<Record<BlockState, number>> = { waiting: remaining };
  for (const block of blocks) counts[block.state] = (counts[block.state] ?? 0) + 1;
  const label = summary(counts);
  if (blocks.length + remaining > MOST) return <ShareBar counts={counts} label={label} />;
  return (
    <div role="img" aria-label={label} className="flex h-4 min-w-0 items-stretch gap-px">
      {blocks.map((block) => (
        <span
          key={block.number}
          title={components.block(block.number, word(block.state))}
          onClick={onOpen && (() => onOpen(block.number))}
          className={cx(
            'min-w-[3px] max-w-3 flex-1 rounded-[1px]',
            BLOCK_FILLS[block.state],
            onOpen && 'cursor-pointer hover:opacity-70',
          )}
        />
      ))}
      {Array.from({ length: remaining }, (_, n) => (
        <span
          key={`waiting ${n}`}
          title={components.remaining}
          className={cx('min-w-[3px] max-w-3 flex-1 rounded-[1px]', BLOCK_FILLS.waiting)}
        />
      ))}
    </div>
  );
}

/** Shares by state: from counts alone, as lists of tasks have them. */
export function ShareBar({ counts, label }: { counts: Partial<Record<BlockState, number>>; label?: string }) {
  const parts = [...ORDER, 'waiting' as const].filter((state) => counts[state]);
  return (
    <div
      role="img"
      aria-label={label ?? summary(counts)}
      title={label ?? summary(counts)}
      className="flex h-3 min-w-0 items-stretch gap-px"
    >
      {parts.map((state) => (
        <span
          key={state}
          className={cx('min-w-[3px] rounded-[1px]', BLOCK_FILLS[state])}
          style={{ flexGrow: counts[state], flexBasis: 0 }}
        />
      ))}
    </div>
  );
}
