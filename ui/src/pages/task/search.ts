import { oneOf, type Raw, text } from '@/app/search';

export const TABS = ['plots', 'experiments', 'events', 'configuration', 'method'] as const;
export type TabWord = (typeof TABS)[number];

/** What is shown of a task; the selected experiments are `sel` of every page. */
export interface Search {
  tab?: TabWord;
  /** Axes of the trade-off. */
  x?: string;
  y?: string;
  /** Parameter and figure of the slice. */
  slice?: string;
  of?: string;
  /** Terms that experiments must meet: `state=success;max-num-seqs>=64`. */
  filter?: string;
  /** Order of the table: `objective` or `-objective`. */
  sort?: string;
}

export function readSearch(raw: Raw): Search {
  return {
    tab: oneOf(raw, 'tab', TABS),
    x: text(raw, 'x'),
    y: text(raw, 'y'),
    slice: text(raw, 'slice'),
    of: text(raw, 'of'),
    filter: text(raw, 'filter'),
    sort: text(raw, 'sort'),
  };
}
