import { flag, type Raw, text } from '@/app/search';

/** Which engine is open, and which of its parameters are shown. */
export interface Search {
  engine?: string;
  q?: string;
  group?: string;
  tunable?: boolean;
  /** A parameter. */
  open?: string;
}

export function readSearch(raw: Raw): Search {
  return {
    engine: text(raw, 'engine'),
    q: text(raw, 'q'),
    group: text(raw, 'group'),
    tunable: flag(raw, 'tunable'),
    open: text(raw, 'open'),
  };
}
