import { type Raw, text } from '@/app/search';

/** What is searched for. */
export interface Search {
  q?: string;
}

export function readSearch(raw: Raw): Search {
  return { q: text(raw, 'q') };
}
