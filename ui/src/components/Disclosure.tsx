import { ChevronRight } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';
import { cx } from './cx';

/** Something folded below its title; `open` from outside unfolds it for good reason, a person folds it again. */
export function Disclosure({
  title,
  note,
  open = false,
  children,
  className,
}: {
  title: ReactNode;
  note?: ReactNode;
  open?: boolean;
  children: ReactNode;
  className?: string;
}) {
  const id = useId();
  const [chosen, setChosen] = useState<boolean | null>(null);
  const shown = chosen ?? open;
  return (
    <div className={cx('min-w-0', className)}>
      <button
        type="button"
        aria-expanded={shown}
        aria-controls={id}
        onClick={() => setChosen(!shown)}
        className="flex min-h-7 max-w-full items-center gap-1.5 rounded-sm pr-2 text-left text-muted hover:text-ink"
      >
        <ChevronRight aria-hidden className={cx('size-4 shrink-0 transition-transform', shown && 'rotate-90')} />
        <span className="min-w-0 truncate">{title}</span>
        {note && <span className="shrink-0 text-xs text-faint">{note}</span>}
      </button>
      <div id={id} hidden={!shown} className="pt-2">
        {shown && children}
      </div>
    </div>
  );
}
