import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { chatKeys, forget, loadMessages, openConversation } from '@/api/chat';
import type { ChatEvent } from '@/api/types/chat';
import { Follower } from './state/follow';

/** A page that nobody sees gives its connection back after this time: browsers allow six to one server, for all tabs. */
const HIDDEN_MS = 5_000;

/** A conversation, followed while it is shown. */
export function useTalk(session: string) {
  const client = useQueryClient();
  const [follower] = useState(
    () =>
      new Follower({
        load: (limit, signal) => loadMessages(session, limit, signal),
        open: (after, signal) => openConversation(session, after, signal),
        onKept: (event) => spread(client, session, event),
      }),
  );
  useEffect(() => {
    follower.start();
    let hiding: ReturnType<typeof setTimeout> | undefined;
    const onVisible = () => {
      clearTimeout(hiding);
      if (document.visibilityState === 'hidden') hiding = setTimeout(() => follower.stop(), HIDDEN_MS);
      else follower.start();
    };
    const online = () => follower.hurry();
    document.addEventListener('visibilitychange', onVisible);
    window.addEventListener('online', online);
    return () => {
      clearTimeout(hiding);
      document.removeEventListener('visibilitychange', onVisible);
      window.removeEventListener('online', online);
      follower.stop();
    };
  }, [follower]);
  return { ...useSyncExternalStore(follower.subscribe, follower.snapshot), follower };
}

/** What else the page keeps of the conversation is stale; of lists the page's own stream tells. */
function spread(client: QueryClient, session: string, event: ChatEvent) {
  switch (event.change) {
    case 'session':
    case 'deleted':
      forget(client, session);
      break;
    case 'grant':
      void client.invalidateQueries({ queryKey: chatKeys.grants(session) });
      break;
    case 'run':
      void client.invalidateQueries({ queryKey: chatKeys.usage(session) });
      void client.invalidateQueries({ queryKey: chatKeys.subscriptions(session) });
      break;
    default:
      break;
  }
}
