import { type Raw, text } from '@/app/search';

/** Which worker is open. */
export interface Search {
  open?: string;
}

export function readSearch(raw: Raw): Search {
  return { open: text(raw, 'open') };
}
