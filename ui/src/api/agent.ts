import { useQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { keys } from './keys';

export function useAgentStatus() {
  return useQuery({
    queryKey: keys.agentStatus,
    queryFn: ({ signal }) => ask(api.GET('/api/agent/status', { signal })),
  });
}

export function useAgentTools() {
  return useQuery({ queryKey: keys.agentTools, queryFn: ({ signal }) => ask(api.GET('/api/agent/tools', { signal })) });
}

/** Conversations, newest first; `waiting` counts the calls that wait for a person. */
export function useSessions(search = '', limit = 100) {
  return useQuery({
    queryKey: keys.agentSessionList(`${search}#${limit}`),
    queryFn: ({ signal }) =>
      ask(api.GET('/api/agent/sessions', { params: { query: { q: search || undefined, limit } }, signal })),
    select: (list) => list.items,
  });
}

export function useChatSession(session: string) {
  return useQuery({
    queryKey: keys.agentSession(session),
    queryFn: ({ signal }) => ask(api.GET('/api/agent/sessions/{session}', { params: { path: { session } }, signal })),
  });
}
