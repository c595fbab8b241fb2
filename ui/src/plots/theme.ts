import { useMemo } from 'react';
import type { OutcomeWord } from '@/api/types';
import { useShownTheme } from '@/app/theme';

/** How an experiment ended; `missed`: it was measured, and misses an SLO. */
export type PlotState = OutcomeWord | 'partial' | 'missed';

/** Colours of plots, read from the tokens of the theme that is shown. */
export interface PlotTheme {
  ink: string;
  muted: string;
  line: string;
  edge: string;
  surface: string;
  raised: string;
  accent: string;
  warn: string;
  bad: string;
  ok: string;
  /** Eight colours that colour-blind readers can tell apart. */
  series: string[];
  state: Record<PlotState, string>;
  font: string;
}

/** Symbol of each state, as echarts names it: states differ by shape as well as by colour. */
export const STATE_SYMBOL: Record<PlotState, string> = {
  success: 'circle',
  partial: 'path://M0,-5A5,5,0,0,0,0,5Z M0,-5A5,5,0,0,1,0,5L0,4A4,4,0,0,0,0,-4Z',
  missed: 'path://M-5,-4L5,-4L0,5ZM-2.6,-2.6L0,2.1L2.6,-2.6Z',
  open: 'path://M-5,0A5,5,0,0,1,5,0A5,5,0,0,1,-5,0ZM-3,0A3,3,0,0,0,3,0A3,3,0,0,0,-3,0Z',
  pruned: 'rect',
  infeasible: 'diamond',
  failed: 'triangle',
  cancelled: 'path://M-5,-4L-4,-5L0,-1L4,-5L5,-4L1,0L5,4L4,5L0,1L-4,5L-5,4L-1,0Z',
};

/** Symbols of series that are no states, in the order of `PlotTheme.series`. */
export const SERIES_SYMBOL = ['circle', 'rect', 'triangle', 'diamond', 'roundRect', 'pin', 'arrow', 'emptyCircle'];

/** Dashes of series, so that lines differ without colour. */
export const SERIES_DASH: ('solid' | number[])[] = [
  'solid',
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [12, 4],
  [4, 2, 1, 2],
  [1, 3],
  [10, 2, 2, 2, 2, 2],
];

export const STATES: PlotState[] = [
  'success',
  'partial',
  'missed',
  'open',
  'pruned',
  'infeasible',
  'failed',
  'cancelled',
];

function read(): PlotTheme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of('ink'),
    muted: of('muted'),
    line: of('line'),
    edge: of('edge'),
    surface: of('surface'),
    raised: of('raised'),
    accent: of('accent'),
    warn: of('warn'),
    bad: of('bad'),
    ok: of('ok'),
    series: Array.from({ length: 8 }, (_, n) => of(`s${n + 1}`)),
    state: Object.fromEntries(STATES.map((state) => [state, of(`state-${state}`)])) as Record<PlotState, string>,
    font: of('font-sans') || 'sans-serif',
  };
}

/** The colours of plots; new ones when the theme changes. */
export function usePlotTheme(): PlotTheme {
  const shown = useShownTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tokens change with the theme
  return useMemo(read, [shown]);
}
