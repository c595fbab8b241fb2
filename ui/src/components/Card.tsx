import { type ReactNode, useId } from 'react';
import { cx } from './cx';

/** A plain surface. */
export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={cx('rounded-lg border border-line bg-surface', className)}>{children}</div>;
}

interface PanelProps {
  title: ReactNode;
  /** Small words beside the title: a count, a time. */
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  /** Without padding, for tables. */
  flush?: boolean;
  level?: 2 | 3;
}

/** A titled part of a page. */
export function Panel({ title, note, actions, children, className, flush, level = 2 }: PanelProps) {
  const id = useId();
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section aria-labelledby={id} className={cx('min-w-0 rounded-lg border border-line bg-surface', className)}>
      <header className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1">
        <Heading id={id} className="min-w-0 truncate text-sm font-semibold">
          {title}
        </Heading>
        {note !== undefined && <span className="text-xs text-faint">{note}</span>}
        {actions && <div className="ml-auto flex flex-wrap items-center gap-1">{actions}</div>}
      </header>
      <div className={flush ? '' : 'p-3'}>{children}</div>
    </section>
  );
}

/** Head of a page: title, what it is, what can be done. */
export function PageHead({ title, note, actions }: { title: ReactNode; note?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="mb-4 flex flex-wrap items-center gap-x-3 gap-y-2">
      <h1 className="min-w-0 text-xl font-semibold tracking-tight [overflow-wrap:anywhere]">{title}</h1>
      {note && <div className="flex min-w-0 flex-wrap items-center gap-2 text-muted">{note}</div>}
      {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}
