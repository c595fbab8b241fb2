import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, keyed, send } from './client';
import { newKey } from './key';
import { keys } from './keys';
import { useAction } from './query';
import type { ChatMode, ConversationUsage, GrantRow, MessageList, ToolCallCard } from './types/chat';

const of = (session: string, key: string) => ({ path: { session }, header: keyed(key) });
const ofCall = ({ session, call }: { session: string; call: string }, key: string) => ({
  path: { session, call },
  header: keyed(key),
});

/** The last messages of a conversation, with their cards. */
export function loadMessages(session: string, limit: number, signal?: AbortSignal): Promise<MessageList> {
  const params = { path: { session }, query: { limit } };
  const answer = ask(api.GET('/api/agent/sessions/{session}/messages', { params, signal }));
  return answer as unknown as Promise<MessageList>;
}

/** Follows a conversation after the number of an event. */
export function openConversation(session: string, after: number, signal: AbortSignal): Promise<Response> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(after) };
  return send(`/api/agent/sessions/${session}/events`, { headers, signal, cache: 'no-store' });
}

const SESSIONS_PAGE = 50;

/** Conversations with a text in title or messages, those that changed last first, a part at a time. */
export function useSessionPages(search: string) {
  return useInfiniteQuery({
    queryKey: [...keys.agentSessions, 'pages', search],
    queryFn: ({ signal, pageParam }) => {
      const query = { q: search || undefined, limit: SESSIONS_PAGE, cursor: pageParam };
      return ask(api.GET('/api/agent/sessions', { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });
}

export async function createSession(): Promise<string> {
  const params = { header: keyed(newKey()) };
  return (await ask(api.POST('/api/agent/sessions', { params, body: {} }))).id;
}

/** Says something; the answer comes over the stream. Gives the id of the message. */
export async function say(session: string, content: string, key: string): Promise<string> {
  const params = { ...of(session, key), query: { no_wait: true } };
  return (await ask(api.POST('/api/agent/sessions/{session}/messages', { params, body: { content } }))).id;
}

export function useStop(session: string) {
  return useAction({
    run: (_: null, key) => ask(api.POST('/api/agent/sessions/{session}/stop', { params: of(session, key) })),
  });
}

export function useGoOn(session: string) {
  return useAction({
    run: (_: null, key) => ask(api.POST('/api/agent/sessions/{session}/resume', { params: of(session, key) })),
  });
}

interface OneCall {
  session: string;
  call: string;
}

/** Lets one call happen, as it was shown or with other arguments. */
export function approveCall(of: OneCall, digest: string, edited: unknown, key: string): Promise<ToolCallCard> {
  const body = {
    args_digest: digest,
    ...(edited === undefined ? {} : { edited_args: edited as Record<string, never> }),
  };
  const params = ofCall(of, key);
  const answer = ask(api.POST('/api/agent/sessions/{session}/calls/{call}/approve', { params, body }));
  return answer as unknown as Promise<ToolCallCard>;
}

export function denyCall(of: OneCall, reason: string, stop: boolean, key: string): Promise<ToolCallCard> {
  const body = { reason: reason || null, stop };
  const params = ofCall(of, key);
  const answer = ask(api.POST('/api/agent/sessions/{session}/calls/{call}/deny', { params, body }));
  return answer as unknown as Promise<ToolCallCard>;
}

/** Standing leave, as far as it goes. */
export interface Leave {
  scope: string;
  expiresAt?: string;
  tool?: string;
  task?: string;
  uses?: number;
  experiments?: number;
  gpuSeconds?: number;
}

export function giveLeave(session: string, leave: Leave, key: string) {
  const body = {
    scopes: [leave.scope],
    expires_at: leave.expiresAt ?? null,
    tool: leave.tool ?? null,
    task: leave.task ?? null,
    max_uses: leave.uses ?? null,
    max_experiments: leave.experiments ?? null,
    max_gpu_seconds: leave.gpuSeconds ?? null,
    no_wait: true,
  };
  return ask(api.POST('/api/agent/sessions/{session}/authorize', { params: of(session, key), body }));
}

export const chatKeys = {
  grants: (session: string) => [...keys.agent, 'grants', session] as const,
  usage: (session: string) => [...keys.agent, 'usage', session] as const,
  subscriptions: (session: string) => [...keys.agent, 'subscriptions', session] as const,
  waiting: (session: string, count: number) => [...keys.agentSessions, 'waiting', session, count] as const,
};

export function useGrants(session: string) {
  return useQuery({
    queryKey: chatKeys.grants(session),
    queryFn: ({ signal }) =>
      ask(api.GET('/api/agent/sessions/{session}/grants', { params: { path: { session } }, signal })),
    select: (list) => list.items as unknown as GrantRow[],
  });
}

export function useRevoke(session: string) {
  const client = useQueryClient();
  return useAction({
    run: (grant: string) =>
      ask(api.DELETE('/api/agent/sessions/{session}/grants/{grant}', { params: { path: { session, grant } } })),
    onDone: () => client.invalidateQueries({ queryKey: chatKeys.grants(session) }),
  });
}

export function useUsage(session: string) {
  return useQuery({
    queryKey: chatKeys.usage(session),
    queryFn: ({ signal }) => {
      const answer = api.GET('/api/agent/sessions/{session}/usage', { params: { path: { session } }, signal });
      return ask(answer) as unknown as Promise<ConversationUsage>;
    },
  });
}

/** The last calls of a conversation that wait for a person; `count` of them are known to. */
export function useWaitingCards(session: string, count: number) {
  return useQuery({
    queryKey: chatKeys.waiting(session, count),
    queryFn: ({ signal }) => loadMessages(session, 100, signal),
    select: (list) => list.items.flatMap((message) => message.tool_calls.filter((c) => c.status === 'requires_auth')),
  });
}

export function useSubscriptions(session: string) {
  return useQuery({
    queryKey: chatKeys.subscriptions(session),
    queryFn: ({ signal }) =>
      ask(api.GET('/api/agent/sessions/{session}/subscriptions', { params: { path: { session } }, signal })),
    select: (list) => list.items,
  });
}

export function useSubscribe(session: string) {
  const client = useQueryClient();
  return useAction({
    run: ({ task, kinds }: { task: string; kinds: string[] }, key) => {
      const body = { task_id: task, event_types: kinds };
      return ask(api.POST('/api/agent/sessions/{session}/subscribe', { params: of(session, key), body }));
    },
    onDone: () => client.invalidateQueries({ queryKey: chatKeys.subscriptions(session) }),
  });
}

export function useUnsubscribe(session: string) {
  const client = useQueryClient();
  return useAction({
    run: (task: string) =>
      ask(api.DELETE('/api/agent/sessions/{session}/subscribe/{task}', { params: { path: { session, task } } })),
    onDone: () => client.invalidateQueries({ queryKey: chatKeys.subscriptions(session) }),
  });
}

export function useChangeSession(session: string) {
  const client = useQueryClient();
  return useAction({
    run: (body: { title?: string; mode?: ChatMode }) =>
      ask(api.PUT('/api/agent/sessions/{session}', { params: { path: { session } }, body })),
    onDone: () => forget(client, session),
  });
}

export function useGenerateTitle(session: string) {
  const client = useQueryClient();
  return useAction({
    run: (_: null, key) => ask(api.POST('/api/agent/sessions/{session}/title/generate', { params: of(session, key) })),
    onDone: () => forget(client, session),
  });
}

export function forget(client: ReturnType<typeof useQueryClient>, session: string) {
  void client.invalidateQueries({ queryKey: keys.agentSession(session) });
  void client.invalidateQueries({ queryKey: keys.agentSessions });
}

export function deleteSession(session: string): Promise<unknown> {
  return ask(api.DELETE('/api/agent/sessions/{session}', { params: { path: { session } } }));
}

export function useRate(session: string) {
  return useAction({
    run: ({ message, feedback }: { message: string; feedback: { good: boolean; text?: string } | null }, key) => {
      const params = { path: { session, message }, header: keyed(key) };
      return ask(
        api.POST('/api/agent/sessions/{session}/messages/{message}/feedback', { params, body: feedback ?? undefined }),
      );
    },
  });
}

/** A conversation as Markdown. */
export async function exportSession(session: string): Promise<string> {
  return (await send(`/api/agent/sessions/${session}/export`)).text();
}
