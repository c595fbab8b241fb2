import { type Raw, text } from '@/app/search';

/** What is shown of a task; the selected experiments are `sel` of every page. */
export interface Search {
  tab?: string;
  x?: string;
  y?: string;
  filter?: string;
}

export function readSearch(raw: Raw): Search {
  return { tab: text(raw, 'tab'), x: text(raw, 'x'), y: text(raw, 'y'), filter: text(raw, 'filter') };
}
