import { type Raw, text } from '@/app/search';

/** Which part is shown. */
export interface Search {
  tab?: string;
}

export function readSearch(raw: Raw): Search {
  return { tab: text(raw, 'tab') };
}
