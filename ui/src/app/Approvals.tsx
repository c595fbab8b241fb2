import { Link } from '@tanstack/react-router';
import { BellRing, ChevronRight } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { useSessions } from '@/api/agent';
import { useWaitingCards } from '@/api/chat';
import type { Schemas } from '@/api/types';
import type { Effects } from '@/api/types/chat';
import { Button } from '@/components/Button';
import { Loaded, Skeleton } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { chat } from '@/text/chat';
import { shell } from '@/text/shell';

/** Calls of the agent that wait for a person, wherever one is in the page, with a way to the card of each. */
export function Approvals() {
  const { data } = useSessions();
  const [open, setOpen] = useState(false);
  const waiting = data?.filter((session) => session.waiting > 0) ?? [];
  const count = waiting.reduce((sum, session) => sum + session.waiting, 0);
  if (count === 0) return null;
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button
          size="sm"
          aria-label={shell.waiting(count)}
          className="border-warn/50 bg-warn-soft text-warn hover:bg-warn-soft"
          icon={<BellRing aria-hidden className="size-4" />}
        >
          <span className="hidden sm:inline">{shell.waiting(count)}</span>
          <span className="sm:hidden">{count}</span>
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label={chat.approvals.title}
          className="z-50 max-h-[70vh] w-96 max-w-[calc(100vw-1rem)] overflow-y-auto rounded-md border border-line bg-raised shadow-pop"
        >
          <h2 className="border-b border-line px-3 py-2 font-semibold">{chat.approvals.title}</h2>
          {waiting.map((session) => (
            <OfSession key={session.id} session={session} onGo={() => setOpen(false)} />
          ))}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function OfSession({ session, onGo }: { session: Schemas['SessionListItem']; onGo: () => void }) {
  const cards = useWaitingCards(session.id, session.waiting);
  const title = session.title || chat.untitled;
  return (
    <section aria-label={title} className="border-b border-line last:border-0">
      <h3 className="truncate px-3 pt-2 text-xs text-muted">{title}</h3>
      <Loaded of={cards} skeleton={<Skeleton lines={session.waiting} />}>
        {(calls) => (
          <ul className="p-1">
            {calls.map((call) => (
              <li key={call.id}>
                <Link
                  to="/chat/$session"
                  params={{ session: session.id }}
                  search={{ call: call.id }}
                  onClick={onGo}
                  className="flex items-center gap-2 rounded-md px-2 py-1.5 hover:bg-hover"
                >
                  <span className="min-w-0 flex-1">
                    <span className="block truncate font-medium">
                      {(call.effects as Effects | null)?.summary ?? call.tool_name}
                    </span>
                    <span className="block truncate text-xs text-muted">
                      <code className="font-mono">{call.tool_name}</code>
                      {call.auth_scope && ` · ${call.auth_scope}`}
                      {call.expires_at && (
                        <>
                          {' '}
                          · {chat.approvals.expires} <RelativeTime at={call.expires_at} />
                        </>
                      )}
                    </span>
                  </span>
                  <ChevronRight aria-hidden className="size-4 shrink-0 text-faint" />
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  );
}
