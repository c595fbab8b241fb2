import { Link } from '@tanstack/react-router';
import { useSessions } from '@/api/agent';
import { useInfo } from '@/api/system';
import { cx } from '@/components/cx';
import { common } from '@/text/common';
import { shell } from '@/text/shell';
import { Logo, PLACES } from './nav';

const ITEM = 'flex min-h-7 items-center gap-2.5 rounded-md px-2 py-1 text-muted hover:bg-hover hover:text-ink';
const HERE = cx(ITEM, 'bg-accent-soft font-medium text-accent hover:bg-accent-soft hover:text-accent');
const CHAT = 'flex min-h-6 items-center gap-1.5 rounded-md px-2 text-xs text-faint hover:bg-hover hover:text-ink';
const RECENT = 5;

/** The pages, and the conversations of late. */
export function SideNav({ onGo }: { onGo?: () => void }) {
  return (
    <div className="flex h-full flex-col">
      <Link
        to="/"
        onClick={onGo}
        className="flex h-12 shrink-0 items-center gap-2 whitespace-nowrap px-4 font-semibold tracking-tight text-ink"
      >
        <Logo aria-hidden className="size-5 text-accent" />
        {common.product}
      </Link>
      <nav aria-label={shell.navigation} className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {PLACES.map((group) => (
          <ul
            key={group[0]?.to}
            className="mt-2 space-y-px border-t border-line pt-2 first:mt-0 first:border-0 first:pt-0"
          >
            {group.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <Link
                  to={to}
                  onClick={onGo}
                  activeOptions={{ exact: to === '/', includeSearch: false }}
                  activeProps={{ className: HERE, 'aria-current': 'page' }}
                  inactiveProps={{ className: ITEM }}
                >
                  <Icon aria-hidden className="size-4 shrink-0" />
                  {label}
                </Link>
                {to === '/chat' && <RecentChats onGo={onGo} />}
              </li>
            ))}
          </ul>
        ))}
      </nav>
      <Version />
    </div>
  );
}

function RecentChats({ onGo }: { onGo?: () => void }) {
  const { data } = useSessions();
  if (!data?.length) return null;
  return (
    <ul aria-label={shell.recentChats} className="ml-4 border-l border-line pl-2">
      {data.slice(0, RECENT).map((session) => (
        <li key={session.id}>
          <Link
            to="/chat/$session"
            params={{ session: session.id }}
            onClick={onGo}
            activeProps={{ className: cx(CHAT, 'font-medium text-accent'), 'aria-current': 'page' }}
            inactiveProps={{ className: CHAT }}
          >
            <span className="truncate">{session.title || shell.untitledChat}</span>
            {session.waiting > 0 && (
              <span
                title={shell.waiting(session.waiting)}
                className="ml-auto shrink-0 rounded-full bg-warn-soft px-1.5 text-warn"
              >
                {session.waiting}
              </span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Version() {
  const { data } = useInfo();
  return <p className="h-8 shrink-0 px-4 text-xs text-faint">{data ? shell.version(data.version) : ''}</p>;
}
