import { type Raw, text } from '@/app/search';

/** What is searched for, and the call whose card is wanted. */
export interface Search {
  q?: string;
  call?: string;
}

export function readSearch(raw: Raw): Search {
  return { q: text(raw, 'q'), call: text(raw, 'call') };
}
