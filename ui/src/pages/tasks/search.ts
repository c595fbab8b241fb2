import type { TaskStatus } from '@/api/types';
import { flag, list, oneOf, type Raw, someOf, text } from '@/app/search';

export const STATUSES: TaskStatus[] = ['pending', 'running', 'cancelling', 'completed', 'failed', 'cancelled'];

/** Filters of the list of tasks. */
export interface Search {
  q?: string;
  status?: TaskStatus[];
  engine?: string[];
  archived?: 'only' | 'all';
  replaced?: boolean;
  sort?: string;
}

export function readSearch(raw: Raw): Search {
  return {
    q: text(raw, 'q'),
    status: someOf(raw, 'status', STATUSES),
    engine: list(raw, 'engine'),
    archived: oneOf(raw, 'archived', ['only', 'all']),
    replaced: flag(raw, 'replaced'),
    sort: text(raw, 'sort'),
  };
}
