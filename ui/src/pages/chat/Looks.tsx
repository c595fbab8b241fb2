import { ChevronRight, Eye } from 'lucide-react';
import { useState } from 'react';
import { cx } from '@/components/cx';
import { chat } from '@/text/chat';
import { CallCard } from './card/CallCard';
import type { Call } from './state/talk';
import { mayFold, toolCounts } from './state/turns';

interface LooksProps {
  calls: Call[];
  progress: ReadonlyMap<string, unknown>;
  /** A call that somebody came for. */
  wanted?: string;
  /** The run is over: what was only looked at is folded. */
  over: boolean;
}

/** Calls that only look, in lines; folded when all have ended. */
export function Looks({ calls, progress, wanted, over }: LooksProps) {
  const [open, setOpen] = useState<boolean | null>(null);
  const folds = over && mayFold(calls);
  const isOpen = open ?? (!folds || calls.some((call) => call.id === wanted));
  const failed = calls.filter((call) => call.state === 'failed').length;
  const counts = toolCounts(calls).map(([tool, times]) => chat.looks.times(tool, times));
  return (
    <div className="min-w-0 rounded-lg border border-line bg-surface">
      {folds && (
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className="flex w-full min-w-0 items-center gap-2 rounded-lg px-2 py-1 text-left text-muted hover:bg-hover"
        >
          <Eye aria-hidden className="size-4 shrink-0 text-faint" />
          <span className="shrink-0">{chat.looks.folded(calls.length)}</span>
          <span className="min-w-0 truncate font-mono text-xs text-faint">{counts.join(', ')}</span>
          {failed > 0 && <span className="shrink-0 text-xs text-bad">{chat.looks.failed(failed)}</span>}
          <ChevronRight
            aria-hidden
            className={cx('ml-auto size-4 shrink-0 text-faint transition-transform', isOpen && 'rotate-90')}
          />
        </button>
      )}
      {isOpen && (
        <div className={cx('divide-y divide-line', folds && 'border-t border-line')}>
          {calls.map((call) => (
            <CallCard key={call.id} slim call={call} progress={progress.get(call.id)} wanted={call.id === wanted} />
          ))}
        </div>
      )}
    </div>
  );
}
