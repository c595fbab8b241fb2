import { states } from '@/text/common';
import { plots } from '@/text/plots';
import { type PlotState, STATE_SYMBOL } from './theme';

const SHAPES: Partial<Record<string, string>> = {
  rect: 'M-4,-4H4V4H-4Z',
  diamond: 'M0,-5L5,0L0,5L-5,0Z',
  triangle: 'M0,-5L5,4L-5,4Z',
};

/** The symbol of a state, as plots draw it. */
export function StateMark({ state }: { state: PlotState }) {
  const symbol = STATE_SYMBOL[state];
  const colour = `var(--state-${state})`;
  const hollow = symbol === 'emptyCircle';
  return (
    <svg aria-hidden="true" viewBox="-6 -6 12 12" className="size-3 shrink-0">
      {symbol === 'circle' || hollow ? (
        <circle r={hollow ? 4 : 5} fill={hollow ? 'none' : colour} stroke={colour} strokeWidth={hollow ? 2 : 0} />
      ) : (
        <path d={SHAPES[symbol] ?? symbol.replace('path://', '')} fill={colour} />
      )}
    </svg>
  );
}

/** What the symbols mean. */
export function StateLegend({ shown }: { shown: readonly PlotState[] }) {
  return (
    <ul className="flex flex-wrap gap-x-3 gap-y-1 text-xs text-muted">
      {shown.map((state) => (
        <li key={state} className="flex items-center gap-1">
          <StateMark state={state} />
          {state === 'missed' ? plots.missed : states[state]}
        </li>
      ))}
    </ul>
  );
}
