import { boundsOf, type Configuration, type Measurement, stat } from '@/api/types';
import { columnKey, figureAt, numberOf, type Quantity } from './axes';
import { measurementAt } from './measured';
import type { PlotTask, Point } from './points';
import { meanOf } from './statistics';

/** How far a figure of an experiment is known, and what says so. */
export interface Spread {
  low: number;
  high: number;
  /** Whole runs of the same configuration, repeats of the level in one run, or the values within one measurement. */
  from: 'runs' | 'repeats' | 'within';
  /** Runs or repeats. */
  n?: number;
  /** Absent where these are only the lowest and the highest of two. */
  confidence?: number;
}

const wordOf = (configuration: Configuration) =>
  JSON.stringify(Object.entries(configuration).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Two say how far apart they are; three and more give an interval of their mean. */
function ofSeveral(values: readonly number[], from: 'runs' | 'repeats'): Spread | null {
  const mean = values.length > 2 ? meanOf(values) : null;
  if (mean?.low !== undefined && mean.high !== undefined) {
    // No rate and no time is below nothing, whatever few values let one fear.
    const least = values.every((value) => value >= 0) ? 0 : mean.low;
    return { low: Math.max(least, mean.low), high: mean.high, from, n: mean.n, confidence: 0.95 };
  }
  if (values.length < 2) return null;
  return { low: Math.min(...values), high: Math.max(...values), from, n: values.length };
}

/** The value in other runs of the same configuration, the verification's, with its own. */
function runsOf(task: PlotTask, point: Point, quantity: Quantity): number[] {
  // How long a run took tells how much it measured; only getting ready is the same work each time.
  if (quantity.group === 'other' && quantity.id !== 'ready_s') return [];
  const own = wordOf(point.configuration);
  const level = quantity.level ?? point.level;
  const isSame = (other: Point) =>
    other.number === point.number || (other.role === 'verify' && wordOf(other.configuration) === own);
  return task.points.filter(isSame).flatMap((other) => {
    // Another level decided: its objective is another figure.
    if (quantity.group === 'objective' && other.level !== level) return [];
    const key = quantity.measured && columnKey(quantity.measured.metric, quantity.measured.stat);
    const value = quantity.group === 'figure' && key ? figureAt(other, key, level) : numberOf(quantity.of(other));
    return value === undefined || value === null ? [] : [value];
  });
}

/**
 * How far a figure of an experiment is known, from the best that is there: other runs, else repeats, else what the
 * measurement itself knows. Null where nothing is known.
 */
export function spreadOf(
  task: PlotTask,
  point: Point,
  quantity: Quantity,
  measurements?: readonly Measurement[],
): Spread | null {
  const value = numberOf(quantity.of(point));
  if (value === null) return null;
  const runs = ofSeveral(runsOf(task, point, quantity), 'runs');
  if (runs) return runs;
  const { measured } = quantity;
  const level = quantity.level ?? point.level;
  if (!measured || level === null) return null;
  const key = columnKey(measured.metric, measured.stat);
  const repeats = point.levels.flatMap((it) => {
    const figure = it.level === level && it.valid ? it.figures[key] : undefined;
    return figure === undefined ? [] : [figure];
  });
  const middle = figureAt(point, key, level);
  const several = ofSeveral(repeats, 'repeats');
  if (several && middle) return scaled(several, value / middle);
  const measurement = measurementAt(measurements ?? [], level);
  const found = measurement && stat(measurement, measured.metric, measured.stat);
  if (!measurement || !found) return null;
  const { low, high, confidence } = boundsOf(measurement, measured.metric, measured.stat);
  return low === undefined || high === undefined
    ? null
    : scaled({ low, high, from: 'within', confidence }, value / found);
}

/** An objective per GPU is a figure divided by how many there were. */
function scaled(spread: Spread, factor: number): Spread {
  return { ...spread, low: spread.low * factor, high: spread.high * factor };
}

export interface Spreads {
  x: Spread | null;
  y: Spread | null;
}

const CORNERS = 48;

/**
 * The outline of what is known of a point, in the units of the axes: an ellipse as wide and as high as its intervals, a bar
 * where only one is known. It is a line of points, so that it is right on any scale.
 */
export function outline(at: { x: number; y: number }, { x, y }: Spreads): [number, number][] {
  const sides = (value: number, spread: Spread | null) => {
    if (!spread) return { middle: value, below: 0, above: 0 };
    // The mean of several runs may lie where the run that is drawn does not.
    const isInside = spread.low <= value && value <= spread.high;
    const middle = isInside ? value : (spread.low + spread.high) / 2;
    return { middle, below: middle - spread.low, above: spread.high - middle };
  };
  const [across, up] = [sides(at.x, x), sides(at.y, y)];
  const reach = (side: typeof across, share: number) => side.middle + share * (share < 0 ? side.below : side.above);
  if (!x && !y) return [];
  if (!x || !y)
    return [-1, 1].map((end): [number, number] => [x ? reach(across, end) : at.x, y ? reach(up, end) : at.y]);
  return Array.from({ length: CORNERS }, (_, n): [number, number] => {
    const angle = (2 * Math.PI * n) / CORNERS;
    return [reach(across, Math.cos(angle)), reach(up, Math.sin(angle))];
  });
}
