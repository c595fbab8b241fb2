import { ListFilter, Search as SearchIcon, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useEngines } from '@/api/engines';
import type { TaskStatus } from '@/api/types';
import { Button } from '@/components/Button';
import { cx } from '@/components/cx';
import { INPUT } from '@/components/Field';
import { Menu, type MenuItem } from '@/components/Menu';
import { states } from '@/text/common';
import { tasks as words } from '@/text/tasks';
import { type Search, STATUSES } from './search';

interface FiltersProps {
  search: Search;
  onChange: (change: Partial<Search>) => void;
}

/** Time to go on typing before the list is asked for, ms. */
const TYPING_MS = 200;

export function isFiltered({ q, status, engine, archived, replaced }: Search): boolean {
  return Boolean(q || status?.length || engine?.length || archived || replaced);
}

/** Filters of the list; they stand in the address. `/` goes to the search. */
export function Filters({ search, onChange }: FiltersProps) {
  const engines = useEngines();
  const toggled = <T extends string>(list: readonly T[] | undefined, word: T, on: boolean): T[] | undefined => {
    const next = on ? [...(list ?? []), word] : (list ?? []).filter((one) => one !== word);
    return next.length ? next : undefined;
  };
  const statuses: MenuItem[] = STATUSES.map((status) => ({
    kind: 'check',
    label: states[status],
    checked: search.status?.includes(status) ?? false,
    onChange: (on) => onChange({ status: toggled<TaskStatus>(search.status, status, on) }),
  }));
  const known = new Set([...(engines.data ?? []).map((engine) => engine.engine), ...(search.engine ?? [])]);
  const choices: MenuItem[] = [...known].map((engine) => ({
    kind: 'check',
    label: engine,
    checked: search.engine?.includes(engine) ?? false,
    onChange: (on) => onChange({ engine: toggled(search.engine, engine, on) }),
  }));
  const archived = search.archived ?? 'no';
  const put: MenuItem[] = [
    {
      kind: 'radio',
      label: words.put,
      value: archived,
      options: (['no', 'only', 'all'] as const).map((value) => ({ value, label: words.archived[value] })),
      onChange: (value) => onChange({ archived: value === 'no' ? undefined : (value as 'only' | 'all') }),
    },
    { kind: 'line' },
    {
      kind: 'check',
      label: words.replaced,
      checked: search.replaced ?? false,
      onChange: (on) => onChange({ replaced: on || undefined }),
    },
  ];

  return (
    <div className="flex min-w-0 flex-1 flex-wrap items-center gap-1.5">
      <NameSearch value={search.q ?? ''} onChange={(q) => onChange({ q: q || undefined })} />
      <Choice label={words.status} count={search.status?.length ?? 0} items={statuses} />
      <Choice label={words.engine} count={search.engine?.length ?? 0} items={choices} />
      <Choice label={words.archived[archived]} count={search.replaced ? 1 : 0} items={put} />
      {isFiltered(search) && (
        <Button
          size="sm"
          tone="quiet"
          icon={<X aria-hidden className="size-3.5" />}
          onClick={() =>
            onChange({ q: undefined, status: undefined, engine: undefined, archived: undefined, replaced: undefined })
          }
        >
          {words.clear}
        </Button>
      )}
    </div>
  );
}

function Choice({ label, count, items }: { label: string; count: number; items: MenuItem[] }) {
  return (
    <Menu items={items} align="start">
      <Button
        size="sm"
        icon={<ListFilter aria-hidden className="size-3.5" />}
        className={cx(count > 0 && 'border-accent text-accent')}
      >
        {label}
        {words.filters(count)}
      </Button>
    </Menu>
  );
}

function NameSearch({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => {
    if (typed === null) return;
    const timer = setTimeout(() => {
      latest.current(typed.trim());
      setTyped(null);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || target.closest('input,textarea,select,[role=dialog]'))
        return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className="relative w-44 max-w-full">
      <SearchIcon aria-hidden className="pointer-events-none absolute left-2 top-1.5 size-4 text-faint" />
      <input
        ref={input}
        type="search"
        aria-label={words.search}
        aria-keyshortcuts="/"
        placeholder={words.searchShort}
        autoComplete="off"
        spellCheck={false}
        className={cx(INPUT, 'h-7 pl-7.5')}
        value={typed ?? value}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}
