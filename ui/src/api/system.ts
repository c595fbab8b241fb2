import { useQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { ApiError } from './error';
import { keys } from './keys';
import type { Gpus, Host, Schemas, Settings } from './types';

export function useInfo() {
  return useQuery({ queryKey: keys.info, queryFn: ({ signal }) => ask(api.GET('/api/system/info', { signal })) });
}

/** GPUs, host and health change without an event; they are read again with each sign of life of the event stream. */
export function useGpus() {
  return useQuery({
    queryKey: keys.gpus,
    queryFn: ({ signal }) => ask(api.GET('/api/system/gpus', { signal })) as unknown as Promise<Gpus>,
  });
}

export function useHost() {
  return useQuery({
    queryKey: keys.host,
    queryFn: ({ signal }) => ask(api.GET('/api/system/host', { signal })) as unknown as Promise<Host>,
  });
}

/** The checks; also when some failed, which the server answers with 503. */
export function useHealth() {
  return useQuery({
    queryKey: keys.health,
    queryFn: async ({ signal }): Promise<Schemas['HealthBody']> => {
      const { data, error, response } = await api.GET('/api/system/health', { signal });
      const body = data ?? (error as Schemas['HealthBody'] | undefined);
      if (body?.checks) return body;
      throw new ApiError(response.status, 'failed', response.statusText);
    },
  });
}

export function useSettings() {
  return useQuery({
    queryKey: keys.settings,
    queryFn: ({ signal }) => ask(api.GET('/api/system/settings', { signal })) as unknown as Promise<Settings>,
  });
}

/** What the doctor finds on this machine: read whenever somebody looks, and when an installation ends. */
export function useCheck() {
  return useQuery({
    queryKey: keys.check,
    queryFn: ({ signal }) => ask(api.GET('/api/system/check', { signal })),
    select: (list) => list.items,
    staleTime: 30_000,
  });
}
