import { list, oneOf, type Raw, text } from '@/app/search';
import { STEP_IDS, type StepId } from './steps';

export const VIEWS = ['both', 'form', 'yaml'] as const;
export type View = (typeof VIEWS)[number];

/** Where an edit begins, and what of it is shown. */
export interface Search {
  /** Id of a task to begin from. */
  from?: string;
  /** Presets to begin with. */
  presets?: string[];
  view?: View;
  step?: StepId;
}

export function readSearch(raw: Raw): Search {
  return {
    from: text(raw, 'from'),
    presets: list(raw, 'presets'),
    view: oneOf(raw, 'view', VIEWS),
    step: oneOf(raw, 'step', STEP_IDS),
  };
}
