import type { JobStatus } from '@/api/types';
import { oneOf, type Raw, someOf, text } from '@/app/search';

export const STATUSES: readonly JobStatus[] = ['queued', 'running', 'succeeded', 'dead', 'cancelled'];
export const KINDS = [
  'run_task',
  'help_task',
  'install_engine',
  'fetch_dataset',
  'download_model',
  'render_report',
  'refresh_issue_cache',
] as const;
export type Kind = (typeof KINDS)[number];

/** What is filtered, and which job is open. */
export interface Search {
  status?: JobStatus[];
  kind?: Kind;
  q?: string;
  open?: string;
}

export function readSearch(raw: Raw): Search {
  return {
    status: someOf(raw, 'status', STATUSES),
    kind: oneOf(raw, 'kind', KINDS),
    q: text(raw, 'q'),
    open: text(raw, 'open'),
  };
}
