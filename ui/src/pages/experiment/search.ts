import { integer, type Raw, text } from '@/app/search';

/** What is shown of an experiment. */
export interface Search {
  tab?: string;
  attempt?: number;
}

export function readSearch(raw: Raw): Search {
  return { tab: text(raw, 'tab'), attempt: integer(raw, 'attempt') };
}
