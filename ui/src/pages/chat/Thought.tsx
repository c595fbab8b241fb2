import { Brain, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { cx } from '@/components/cx';
import { chat } from '@/text/chat';

/** What the model thought before it answered, folded. */
export function Thought({ text, now }: { text: string; now?: boolean }) {
  const [open, setOpen] = useState(false);
  if (text === '') return null;
  return (
    <div className="min-w-0">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex items-center gap-1.5 rounded-sm text-xs text-faint hover:text-ink"
      >
        <Brain aria-hidden className={cx('size-3.5', now && 'animate-pulse')} />
        {now ? chat.messages.thinking : chat.messages.thought}
        <ChevronRight aria-hidden className={cx('size-3.5 transition-transform', open && 'rotate-90')} />
      </button>
      {open && (
        <div className="mt-1 max-h-80 overflow-y-auto whitespace-pre-wrap border-l-2 border-line pl-3 text-muted [overflow-wrap:anywhere]">
          {text}
        </div>
      )}
    </div>
  );
}
