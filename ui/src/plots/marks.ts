import { states } from '@/text/common';
import { plots } from '@/text/plots';
import { taskPlots as words } from '@/text/taskPlots';
import type { PlotTask, Point } from './data/points';
import { type PlotState, type PlotTheme, STATE_SYMBOL, STATES } from './theme';

/** Experiments as marks: state by shape and colour, the selected in front, the others faded, best and baseline named. */

export type Place = (point: Point) => [x: number | string, y: number | string] | null;

export interface Marked {
  selected: ReadonlySet<number>;
  best: number | null;
  baseline: number | null;
}

const SIZE: Partial<Record<PlotState, number>> = { success: 7, open: 8, pruned: 6 };
const FADED = 0.14;
/** Runs of the verification repeat what the search has shown. */
const VERIFIED = 0.35;
/** What could not be a result stays in sight without drawing the eye. */
const WEAK: ReadonlySet<PlotState> = new Set(['pruned', 'infeasible', 'failed', 'cancelled']);

export function stateWord(state: PlotState): string {
  return state === 'missed' ? plots.missed : states[state];
}

function opacity(point: Point, selected: ReadonlySet<number>): number {
  if (selected.size > 0) return selected.has(point.number) ? 1 : FADED;
  if (point.role === 'verify') return VERIFIED;
  return WEAK.has(point.state) || point.state === 'missed' ? 0.55 : 0.85;
}

function itemOf(point: Point, place: [number | string, number | string], marked: Marked, theme: PlotTheme) {
  const isSelected = marked.selected.has(point.number);
  const name = point.number === marked.best ? words.best : point.number === marked.baseline ? words.baseline : null;
  return {
    name: String(point.number),
    value: place,
    symbolSize: (SIZE[point.state] ?? 8) + (isSelected || name ? 4 : 0),
    itemStyle: {
      opacity: name && marked.selected.size === 0 ? 1 : opacity(point, marked.selected),
      borderColor: isSelected || name ? theme.ink : undefined,
      borderWidth: isSelected || name ? 1.5 : 0,
    },
    label: name
      ? { show: true, formatter: name, position: 'top', align: 'left', offset: [-5, 0], color: theme.ink, fontSize: 11 }
      : undefined,
    z: isSelected || name ? 5 : undefined,
  };
}

/** One scatter series per state, so that the legend turns states on and off. */
export function stateSeries(
  points: readonly Point[],
  place: Place,
  marked: Marked,
  theme: PlotTheme,
  more: Record<string, unknown> = {},
): Record<string, unknown>[] {
  return STATES.flatMap((state) => {
    const data = points
      .filter((point) => point.state === state)
      .flatMap((point) => {
        const at = place(point);
        return at ? [itemOf(point, at, marked, theme)] : [];
      })
      // The named and the selected are drawn last, so that nothing lies on them.
      .sort((a, b) => (a.z ?? 0) - (b.z ?? 0));
    if (data.length === 0) return [];
    return [
      {
        id: `state ${state}`,
        type: 'scatter',
        name: stateWord(state),
        symbol: STATE_SYMBOL[state],
        itemStyle: { color: theme.state[state] },
        emphasis: { scale: 1.7, itemStyle: { opacity: 1, borderColor: theme.ink, borderWidth: 1.5 } },
        labelLayout: { hideOverlap: false },
        z: 3,
        data,
        ...more,
      },
    ];
  });
}

/** Names of the series for a legend with the symbols of states. */
export function stateLegend(series: readonly Record<string, unknown>[]): { name: string; icon: unknown }[] {
  return series.map((one) => ({ name: one.name as string, icon: one.symbol }));
}

export function markedOf(task: PlotTask, selected: ReadonlySet<number>): Marked {
  return { selected, best: task.best, baseline: task.baseline };
}
