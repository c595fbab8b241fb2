import { useEffect, useMemo } from 'react';
import { useTaskPages } from '@/api/tasks';
import { usePendingDeletes } from '@/app/undo';
import type { Search } from './search';
import { deletionKey } from './useTaskActions';

/**
 * The list as far as it is read: newest first, more when somebody scrolls. An order of another kind needs all of it, and so all
 * of it is read then.
 */
export function useTaskList({ q, status, engine, archived, replaced, sort }: Search) {
  const filter = { name: q, status, engine, archived, replaced };
  const pages = useTaskPages(filter);
  const isPending = usePendingDeletes();
  const { hasNextPage, isFetchingNextPage, fetchNextPage, data } = pages;
  const needsAll = sort !== undefined;
  useEffect(() => {
    if (needsAll && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [needsAll, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = useMemo(
    () => data?.pages.flatMap((part) => part.items).filter(({ id }) => !isPending(deletionKey(id))),
    [data, isPending],
  );
  return { pages, rows };
}
