import { Link } from '@tanstack/react-router';
import { MessageSquareOff } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useAgentStatus, useAgentTools, useChatSession } from '@/api/agent';
import { useStop } from '@/api/chat';
import type { ApiError } from '@/api/error';
import type { ChatMode } from '@/api/types/chat';
import { useTitle } from '@/app/title';
import { toastError } from '@/app/toasts';
import { Empty, ErrorView, Skeleton } from '@/components/States';
import { chat } from '@/text/chat';
import { Composer, type ComposerHandle } from './Composer';
import { type ChatContext, ChatProvider } from './context';
import { Details } from './Details';
import { Head } from './Head';
import { Messages } from './Messages';
import { sendMessage, settleMessages, useOutbox } from './outbox';
import { liveRun } from './state/talk';
import { inOrder } from './state/turns';
import { useKnownTasks } from './useKnownTasks';
import { useTalk } from './useTalk';

interface ConversationProps {
  session: string;
  /** The call whose card somebody came for. */
  wanted?: string;
  may: boolean;
  onSessions: () => void;
}

/** A conversation: its head, what was said and done, and where to write. */
export function Conversation({ session, wanted, may, onSessions }: ConversationProps) {
  const { follower, ...followed } = useTalk(session);
  const { talk, state, error, live } = followed;
  const kept = useChatSession(session);
  const status = useAgentStatus();
  const tools = useAgentTools();
  const tasks = useKnownTasks(talk);
  const sending = useSending(session, talk.messages);
  const stop = useStop(session);
  const composer = useRef<ComposerHandle>(null);
  const [details, setDetails] = useState(false);
  const title = talk.title ?? kept.data?.title ?? '';
  useTitle(title || chat.title);

  const scopes = tools.data?.scopes as unknown as ChatContext['scopes'];
  const context = useMemo<ChatContext>(
    () => ({ session, may, scopes, tasks, suggest: (text) => composer.current?.suggest(text) }),
    [session, may, scopes, tasks],
  );
  const said = useMemo(
    () => [
      ...new Set(
        inOrder(talk)
          .filter((message) => message.role === 'user')
          .map((message) => message.text)
          .reverse(),
      ),
    ],
    [talk],
  );
  const run = liveRun(talk);
  const unset = status.data && !status.data.available;

  if (talk.deleted || (error as ApiError | null)?.status === 404) return <Gone />;
  return (
    <ChatProvider value={context}>
      <div className="flex h-full min-h-0 flex-col">
        <Head
          session={session}
          title={title}
          mode={talk.mode ?? (kept.data?.mode as ChatMode | undefined) ?? 'ask'}
          may={may}
          live={live || state === 'loading'}
          onSessions={onSessions}
          onDetails={() => setDetails(true)}
        />
        {state === 'there' && (
          <Messages followed={followed} follower={follower} sending={sending} wanted={wanted} may={may} />
        )}
        {state === 'loading' && (
          <div className="mx-auto min-h-0 w-full max-w-4xl flex-1 p-4">
            <Skeleton lines={8} />
          </div>
        )}
        {state === 'failed' && (
          <div className="min-h-0 flex-1">
            <ErrorView error={error} onRetry={() => follower.again()} />
          </div>
        )}
        <div className="border-t border-line px-3 py-2 sm:px-5">
          <Composer
            ref={composer}
            draft={session}
            said={said}
            busy={run !== undefined}
            waits={run?.state === 'awaiting_authorization'}
            stopping={stop.isPending || run?.stop !== undefined}
            onStop={may ? () => stop.mutate(null, { onError: (failed) => toastError(failed) }) : undefined}
            disabled={!may ? chat.composer.noRole : unset ? chat.composer.unavailable : undefined}
            onSend={(text) => void sendMessage(session, text)}
          />
        </div>
        {details && <Details talk={talk} may={may} onClose={() => setDetails(false)} />}
      </div>
    </ChatProvider>
  );
}

/** What was said here and has not come back yet. */
function useSending(session: string, messages: ReadonlyMap<string, unknown>) {
  const all = useOutbox();
  const [here, back] = useMemo(() => {
    const mine = all.filter((one) => one.session === session);
    const came = (id: string | undefined) => id !== undefined && messages.has(id);
    return [mine.filter((one) => !came(one.id)), mine.filter((one) => came(one.id)).map((one) => one.key)];
  }, [all, session, messages]);
  useEffect(() => settleMessages(back), [back]);
  return here;
}

function Gone() {
  return (
    <Empty title={chat.gone} text={chat.goneHint} icon={<MessageSquareOff aria-hidden className="size-6" />}>
      <Link to="/chat" className="text-accent hover:underline">
        {chat.toChat}
      </Link>
    </Empty>
  );
}
