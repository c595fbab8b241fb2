import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, keyed } from './client';
import { keys } from './keys';
import { useAction } from './query';
import type { Schemas } from './types';

export type TokenItem = Schemas['TokenItem'];
export type MadeToken = Schemas['MadeToken'];

/** Tokens have no events: they are read whenever somebody looks. */
export function useTokens() {
  return useQuery({
    queryKey: keys.tokens,
    queryFn: ({ signal }) => ask(api.GET('/api/tokens', { signal })),
    select: (list) => list.items,
    staleTime: 0,
  });
}

export function useCreateToken() {
  const client = useQueryClient();
  return useAction({
    run: (body: Schemas['NewTokenBody'], key) => ask(api.POST('/api/tokens', { params: { header: keyed(key) }, body })),
    onDone: () => void client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useAction({
    run: (token: string) => ask(api.DELETE('/api/tokens/{token}', { params: { path: { token } } })),
    onDone: () => void client.invalidateQueries({ queryKey: keys.tokens }),
  });
}
