import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { EllipsisVertical, Hand, MessageSquarePlus, Pencil, Search, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { deleteSession, useChangeSession, useSessionPages } from '@/api/chat';
import type { Schemas } from '@/api/types';
import { toastError } from '@/app/toasts';
import { deleteUndoably, usePendingDeletes } from '@/app/undo';
import { IconButton } from '@/components/Button';
import { cx } from '@/components/cx';
import { INPUT } from '@/components/Field';
import { Menu } from '@/components/Menu';
import { Empty, Loaded, Skeleton } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { chat } from '@/text/chat';
import { shell } from '@/text/shell';
import { TitleForm } from './Head';

type Session = Schemas['SessionListItem'];
const ROW = 52;
const TYPING_MS = 250;

interface SessionsProps {
  search: string;
  onSearch: (text: string) => void;
  may: boolean;
  /** Somebody went somewhere. */
  onGo?: () => void;
}

/** Conversations, those that changed last first, with search. */
export function Sessions({ search, onSearch, may, onGo }: SessionsProps) {
  const pages = useSessionPages(search);
  const isDeleted = usePendingDeletes();
  const shown = pages.data?.pages.flatMap((page) => page.items).filter((session) => !isDeleted(session.id));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex items-center gap-1.5 border-b border-line p-2">
        <SearchField value={search} onChange={onSearch} />
        <Link
          to="/chat"
          search={{ q: search || undefined }}
          onClick={onGo}
          title={chat.newChat}
          aria-label={chat.newChat}
          className="inline-flex size-8 shrink-0 items-center justify-center rounded-md border border-edge/60 text-muted hover:bg-hover hover:text-ink"
        >
          <MessageSquarePlus aria-hidden className="size-4" />
        </Link>
      </div>
      <Loaded
        of={{ ...pages, data: shown }}
        skeleton={<Skeleton lines={6} />}
        empty={
          <Empty title={search ? chat.noMatch : chat.noSessions} text={search ? undefined : chat.noSessionsHint} />
        }
      >
        {(items) => (
          <List
            items={items}
            search={search}
            may={may}
            onGo={onGo}
            onEnd={() => hasNextPage && !isFetchingNextPage && void fetchNextPage()}
          />
        )}
      </Loaded>
    </div>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <div className="relative min-w-0 flex-1">
      <Search aria-hidden className="pointer-events-none absolute left-2 top-2 size-4 text-faint" />
      <input
        type="search"
        aria-label={chat.search}
        placeholder={chat.search}
        autoComplete="off"
        className={cx(INPUT, 'pl-8')}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}

interface ListProps {
  items: Session[];
  search: string;
  may: boolean;
  onGo?: () => void;
  onEnd: () => void;
}

function List({ items, search, may, onGo, onEnd }: ListProps) {
  const area = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => area.current,
    estimateSize: () => ROW,
    getItemKey: (index) => items[index]?.id ?? index,
    overscan: 8,
  });
  const last = rows.getVirtualItems().at(-1)?.index ?? 0;
  const nearEnd = items.length > 0 && last >= items.length - 5;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for once each time the end comes near
  useEffect(() => {
    if (nearEnd) onEnd();
  }, [nearEnd, items.length]);
  const owners = new Set(items.map((session) => session.user_id));
  return (
    <div ref={area} className="min-h-0 flex-1 overflow-y-auto">
      <ul aria-label={chat.sessions} className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const session = items[row.index];
          if (!session) return null;
          return (
            <li
              key={row.key}
              className="absolute inset-x-0 top-0 px-1 py-px"
              style={{ height: ROW, transform: `translateY(${row.start}px)` }}
            >
              <Item session={session} search={search} may={may} onGo={onGo} showOwner={owners.size > 1} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

interface ItemProps {
  session: Session;
  search: string;
  may: boolean;
  onGo?: () => void;
  showOwner: boolean;
}

function Item({ session, search, may, onGo, showOwner }: ItemProps) {
  const { session: open } = useParams({ strict: false });
  const [renames, setRenames] = useState(false);
  const change = useChangeSession(session.id);
  const navigate = useNavigate();
  const title = session.title || chat.untitled;
  const remove = () => {
    deleteUndoably({ key: session.id, what: chat.conversation(title), run: () => deleteSession(session.id) });
    if (open === session.id) void navigate({ to: '/chat', search: { q: search || undefined } });
  };
  if (renames) {
    return (
      <TitleForm
        title={session.title}
        onClose={() => setRenames(false)}
        onSave={(next) => {
          setRenames(false);
          change.mutate({ title: next }, { onError: (error) => toastError(error) });
        }}
      />
    );
  }
  return (
    <div
      className={cx(
        'group flex h-full items-center rounded-md pr-1',
        open === session.id ? 'bg-accent-soft' : 'hover:bg-hover',
      )}
    >
      <Link
        to="/chat/$session"
        params={{ session: session.id }}
        search={{ q: search || undefined }}
        onClick={onGo}
        aria-current={open === session.id ? 'page' : undefined}
        className="min-w-0 flex-1 rounded-md px-2 py-1"
      >
        <span className="flex items-center gap-1.5">
          <span className={cx('truncate', open === session.id && 'font-medium text-accent')}>{title}</span>
          {session.waiting > 0 && (
            <span
              title={shell.waiting(session.waiting)}
              className="ml-auto inline-flex shrink-0 items-center gap-0.5 rounded-full bg-warn-soft px-1.5 text-xs text-warn"
            >
              <Hand aria-hidden className="size-3" />
              {session.waiting}
            </span>
          )}
        </span>
        <span className="flex gap-1.5 text-xs text-muted">
          <span className="min-w-0 truncate">
            {showOwner && `${chat.ownedBy(session.user_id)} · `}
            {session.last_message_preview.replace(/^[#>*\s]+/, '')}
          </span>
          <span className="ml-auto shrink-0">
            <RelativeTime at={session.updated_at} />
          </span>
        </span>
      </Link>
      {may && (
        <Menu
          items={[
            {
              label: chat.rename,
              icon: <Pencil aria-hidden className="size-4" />,
              onSelect: () => setRenames(true),
            },
            { label: chat.delete, danger: true, icon: <Trash2 aria-hidden className="size-4" />, onSelect: remove },
          ]}
        >
          <IconButton
            size="sm"
            className="opacity-0 focus-visible:opacity-100 group-focus-within:opacity-100 group-hover:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100"
            label={chat.actionsOf(title)}
            icon={<EllipsisVertical aria-hidden className="size-4" />}
          />
        </Menu>
      )}
    </div>
  );
}
