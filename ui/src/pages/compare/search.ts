import { list, type Raw, text } from '@/app/search';

/** What is compared. */
export interface Search {
  /** Tasks (`ID`) or experiments (`ID:NUMBER`) to compare, two to six. */
  of?: string[];
  view?: string;
}

export function readSearch(raw: Raw): Search {
  return { of: list(raw, 'of'), view: text(raw, 'view') };
}
