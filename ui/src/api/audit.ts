import { useInfiniteQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { keys } from './keys';

/** The audit log, newest first, part by part. */
export function useAudit() {
  return useInfiniteQuery({
    queryKey: keys.audit,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      ask(api.GET('/api/audit', { params: { query: { cursor: pageParam, limit: 200 } }, signal })),
    getNextPageParam: (part) => part.next_cursor ?? undefined,
    staleTime: 0,
  });
}
