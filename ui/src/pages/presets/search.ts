import { type Raw, text } from '@/app/search';

/** What is searched for, what is open, what is edited. */
export interface Search {
  q?: string;
  category?: string;
  engine?: string;
  /** A preset whose details are shown. */
  open?: string;
  /** A preset that is changed, or copied. */
  edit?: string;
  copy?: string;
  /** A new one is made. */
  make?: string;
}

export function readSearch(raw: Raw): Search {
  return {
    q: text(raw, 'q'),
    category: text(raw, 'category'),
    engine: text(raw, 'engine'),
    open: text(raw, 'open'),
    edit: text(raw, 'edit'),
    copy: text(raw, 'copy'),
    make: text(raw, 'make'),
  };
}
