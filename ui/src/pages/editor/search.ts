import { type Raw, text } from '@/app/search';

/** Where an edit begins. */
export interface Search {
  /** Id of a task to begin from. */
  from?: string;
  view?: string;
}

export function readSearch(raw: Raw): Search {
  return { from: text(raw, 'from'), view: text(raw, 'view') };
}
