import { integer, oneOf, type Raw, text } from '@/app/search';

export const TABS = ['overview', 'series', 'command', 'log', 'requests', 'environment'] as const;
export type Tab = (typeof TABS)[number];

/** What is shown of an experiment. */
export interface Search {
  /** Default: the overview. */
  tab?: Exclude<Tab, 'overview'>;
  attempt?: number;
  /** Metric of the latency curves. */
  metric?: string;
}

export function readSearch(raw: Raw): Search {
  return {
    tab: oneOf(raw, 'tab', ['series', 'command', 'log', 'requests', 'environment']),
    attempt: integer(raw, 'attempt'),
    metric: text(raw, 'metric'),
  };
}
