import { flag, list, numbers, type Raw, text } from '@/app/search';

/** What is compared: experiments of one task (`task`, and `sel` of every page), or tasks. */
export interface Search {
  task?: string;
  tasks?: string[];
  sel?: number[];
  /** Rows without a difference too. */
  all?: boolean;
  /** Metric of the latency curves. */
  metric?: string;
  /** Position of the level whose curves are shown. */
  level?: string;
  /** The logs are open. */
  logs?: boolean;
}

export function readSearch(raw: Raw): Search {
  return {
    task: text(raw, 'task'),
    tasks: list(raw, 'tasks'),
    sel: numbers(raw, 'sel'),
    all: flag(raw, 'all'),
    metric: text(raw, 'metric'),
    level: text(raw, 'level'),
    logs: flag(raw, 'logs'),
  };
}
