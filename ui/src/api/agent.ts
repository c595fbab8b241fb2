import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, keyed, send } from './client';
import { keys } from './keys';
import { useAction } from './query';
import type { AgentChange, AgentSettings } from './types/agent';

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

/** How the way to the model is. `crates/tuner-llm/src/check.rs` */
export interface AgentCheck {
  findings: {
    step: 'reachable' | 'authorised' | 'model_known' | 'streams' | 'calls_tools';
    verdict: 'good' | 'fair' | 'bad' | 'untried';
    says: string;
    to_do: string | null;
  }[];
  models: string[];
  context_tokens: number | null;
}

/** Tries the connection to the model, step by step; it takes some seconds. */
export function useAgentCheck() {
  return useAction({
    run: async (_: null, key) => {
      const answer = await ask(api.POST('/api/agent/check', { params: { header: keyed(key) } }));
      return (answer as unknown as { check: AgentCheck }).check;
    },
  });
}

const SETTINGS = '/api/agent/settings';

/** Which model the agent has, and what says so; for admins. It has no events: it is read whenever somebody looks. */
export function useAgentSettings() {
  return useQuery({
    queryKey: keys.agentSettings,
    queryFn: async ({ signal }) => (await (await send(SETTINGS, { signal })).json()) as AgentSettings,
    staleTime: 0,
  });
}

/** Gives the agent another model, at once. */
export function useChangeAgent() {
  const client = useQueryClient();
  return useAction({
    run: async (change: AgentChange) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await send(SETTINGS, { method: 'PUT', body: JSON.stringify(change), headers });
      return (await answer.json()) as AgentSettings;
    },
    onDone: (now) => {
      client.setQueryData(keys.agentSettings, now);
      void client.invalidateQueries({ queryKey: keys.agentStatus });
      void client.invalidateQueries({ queryKey: keys.agentTools });
    },
  });
}
