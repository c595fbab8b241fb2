import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type KeyboardEvent, type ReactNode, useMemo, useState } from 'react';
import { useTasks } from '@/api/tasks';
import { cx } from '@/components/cx';
import { StatusBadge } from '@/components/StatusBadge';
import { shell } from '@/text/shell';
import { PLACES } from './nav';

interface Target {
  key: string;
  label: string;
  icon?: ReactNode;
  note?: ReactNode;
  go: () => void;
}

const SHOWN = 30;

/** Goes to a page or a task by a few letters of its name. */
export function Palette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed left-1/2 top-[10vh] z-50 flex max-h-[70vh] w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 flex-col rounded-lg border border-line bg-raised shadow-pop"
        >
          <Radix.Title className="sr-only">{shell.palette}</Radix.Title>
          <Finder onDone={() => onOpenChange(false)} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Finder({ onDone }: { onDone: () => void }) {
  const navigate = useNavigate();
  const tasks = useTasks();
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const targets = useMemo<Target[]>(() => {
    const pages = PLACES.flat().map(({ to, label, icon: Icon }) => ({
      key: to,
      label,
      icon: <Icon aria-hidden className="size-4 text-faint" />,
      go: () => void navigate({ to }),
    }));
    const named = (tasks.data ?? []).map((task) => ({
      key: task.id,
      label: task.name,
      note: <StatusBadge state={task.status} />,
      go: () => void navigate({ to: '/tasks/$task', params: { task: task.id } }),
    }));
    return [...pages, ...named];
  }, [tasks.data, navigate]);
  const found = useMemo(() => {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    return targets.filter((target) => words.every((word) => target.label.toLowerCase().includes(word))).slice(0, SHOWN);
  }, [targets, typed]);

  const go = (target: Target | undefined) => {
    if (!target) return;
    target.go();
    onDone();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setActive((at) => Math.max(0, Math.min(found.length - 1, at + step)));
    } else if (event.key === 'Enter') go(found[active]);
  };

  return (
    <>
      <div className="flex items-center gap-2 border-b border-line px-3">
        <Search aria-hidden className="size-4 text-faint" />
        <input
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={found[active] ? `palette-${active}` : undefined}
          aria-label={shell.palette}
          placeholder={shell.palette}
          autoComplete="off"
          spellCheck={false}
          className="h-11 w-full bg-transparent text-base outline-none placeholder:text-faint"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKey}
        />
      </div>
      <div id="palette-list" role="listbox" aria-label={shell.palette} className="min-h-0 overflow-y-auto p-1">
        {found.map((target, index) => (
          <div
            key={target.key}
            id={`palette-${index}`}
            ref={(element) => {
              if (index === active) element?.scrollIntoView({ block: 'nearest' });
            }}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onMouseMove={() => setActive(index)}
            onClick={() => go(target)}
            className={cx(
              'flex min-h-8 cursor-pointer items-center gap-2 rounded-md px-2',
              index === active && 'bg-accent-soft',
            )}
          >
            {target.icon ?? <span className="size-4" />}
            <span className="min-w-0 truncate">{target.label}</span>
            {target.note && <span className="ml-auto shrink-0">{target.note}</span>}
          </div>
        ))}
        {found.length === 0 && <div className="px-2 py-6 text-center text-faint">{shell.paletteNothing}</div>}
      </div>
    </>
  );
}
