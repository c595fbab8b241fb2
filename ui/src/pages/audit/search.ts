import { type Raw, someOf, text } from '@/app/search';

export const OUTCOMES = ['done', 'refused', 'begun', 'failed', 'other'] as const;
export type OutcomeClass = (typeof OUTCOMES)[number];

/** What of the entries that are read is shown. */
export interface Search {
  q?: string;
  action?: string;
  outcome?: OutcomeClass[];
}

export function readSearch(raw: Raw): Search {
  return { q: text(raw, 'q'), action: text(raw, 'action'), outcome: someOf(raw, 'outcome', OUTCOMES) };
}
