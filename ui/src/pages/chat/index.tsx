import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { useCallback, useState } from 'react';
import { suffices, useRole } from '@/api/role';
import { useTitle } from '@/app/title';
import { IconButton } from '@/components/Button';
import { chat } from '@/text/chat';
import { common } from '@/text/common';
import { Conversation } from './Conversation';
import { NewChat } from './NewChat';
import { Sessions } from './Sessions';

/** Conversations beside the one that is open; on narrow screens they come in from the side. */
export default function ChatPage() {
  const { session } = useParams({ strict: false });
  const { q = '', call } = useSearch({ strict: false });
  const navigate = useNavigate();
  const role = useRole();
  // Until the role is known nothing is forbidden; the server refuses what is.
  const may = role === undefined || suffices(role, 'operator');
  const [drawer, setDrawer] = useState(false);
  const search = useCallback(
    (text: string) => void navigate({ to: '.', search: (old) => ({ ...old, q: text || undefined }), replace: true }),
    [navigate],
  );
  const list = (onGo?: () => void) => <Sessions search={q} onSearch={search} may={may} onGo={onGo} />;
  return (
    <div className="-m-3 flex h-[calc(100dvh-3rem)] min-h-80 sm:-m-4">
      <aside aria-label={chat.sessions} className="hidden w-64 shrink-0 border-r border-line md:block xl:w-72">
        {list()}
      </aside>
      <div className="min-w-0 flex-1">
        {session ? (
          <Conversation key={session} session={session} wanted={call} may={may} onSessions={() => setDrawer(true)} />
        ) : (
          <Begin may={may} onSessions={() => setDrawer(true)} />
        )}
      </div>
      <Radix.Root open={drawer} onOpenChange={setDrawer}>
        <Radix.Portal>
          <Radix.Overlay className="fixed inset-0 z-40 bg-scrim md:hidden" />
          <Radix.Content
            aria-describedby={undefined}
            className="fixed inset-y-0 left-0 z-50 flex w-80 max-w-[88vw] flex-col border-r border-line bg-surface shadow-pop md:hidden"
          >
            <header className="flex items-center border-b border-line px-3 py-2">
              <Radix.Title className="font-semibold">{chat.sessions}</Radix.Title>
              <Radix.Close asChild>
                <IconButton
                  className="ml-auto"
                  size="sm"
                  label={common.close}
                  icon={<X aria-hidden className="size-4" />}
                />
              </Radix.Close>
            </header>
            <div className="min-h-0 flex-1">{list(() => setDrawer(false))}</div>
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>
    </div>
  );
}

function Begin({ may, onSessions }: { may: boolean; onSessions: () => void }) {
  useTitle(chat.title);
  return <NewChat may={may} onSessions={onSessions} />;
}
