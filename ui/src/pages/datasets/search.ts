import { type Raw, text } from '@/app/search';

/** What is searched for, and which data set is open. */
export interface Search {
  q?: string;
  open?: string;
}

export function readSearch(raw: Raw): Search {
  return { q: text(raw, 'q'), open: text(raw, 'open') };
}
