import { figureAt } from './axes';
import { isBetter, type PlotTask, type Point } from './points';

/** A configuration at one level of the load. */
export interface CurvePoint {
  level: number;
  label: string;
  latency: number;
  throughput: number;
  /** Whether every SLO holds there. */
  holds: boolean;
}

export interface Curve {
  point: Point;
  at: CurvePoint[];
  /** Position of the knee. */
  knee: number | null;
  /** Position of the highest load at which every SLO holds. */
  highest: number | null;
}

/**
 * The point of a curve farthest from the line between its ends, both axes scaled to their range (Satopää et al. 2011): from
 * there on more throughput costs much more latency. None where the curve has less than three points or does not bend.
 */
export function kneeOf(at: readonly Pick<CurvePoint, 'latency' | 'throughput'>[]): number | null {
  if (at.length < 3) return null;
  const range = (values: number[]) => ({ low: Math.min(...values), span: Math.max(...values) - Math.min(...values) });
  const x = range(at.map(({ latency }) => latency));
  const y = range(at.map(({ throughput }) => throughput));
  if (x.span <= 0 || y.span <= 0) return null;
  let best: number | null = null;
  let most = 0.1;
  at.forEach(({ latency, throughput }, index) => {
    if (index === 0 || index === at.length - 1) return;
    const above = (throughput - y.low) / y.span - (latency - x.low) / x.span;
    if (above > most) {
      most = above;
      best = index;
    }
  });
  return best;
}

/** How much load a level is, by its short name: `c8`, `2.5/s poisson`. */
function loadOf({ level, label }: Pick<CurvePoint, 'level' | 'label'>): number {
  const found = /\d+(\.\d+)?/.exec(label);
  return found ? Number(found[0]) : level;
}

/** Curves of what was measured at two levels or more; a curve runs in the order of the load. */
export function curvesOf(task: PlotTask, latencyKey: string, throughputKey: string): Curve[] {
  return task.points.flatMap((point) => {
    if (point.role === 'verify') return [];
    const levels = new Map(point.levels.map((level) => [level.level, level]));
    const at = [...levels.values()].flatMap(({ level, label, class: rank }): CurvePoint[] => {
      const latency = figureAt(point, latencyKey, level);
      const throughput = figureAt(point, throughputKey, level);
      if (latency === undefined || throughput === undefined) return [];
      return [{ level, label, latency, throughput, holds: rank === 'feasible' }];
    });
    at.sort((a, b) => loadOf(a) - loadOf(b) || a.level - b.level);
    if (at.length === 0) return [];
    const highest = at.findLastIndex(({ holds }) => holds);
    return [{ point, at, knee: kneeOf(at), highest: highest < 0 ? null : highest }];
  });
}

/** Those that stand in front: the best, the baseline, the selected; and of the others the best, at most `most`. */
export function ranked(curves: readonly Curve[], task: PlotTask, selected: ReadonlySet<number>, most: number) {
  const isFront = ({ point: { number } }: Curve) =>
    number === task.best || number === task.baseline || selected.has(number);
  // The best and the baseline first: they look the same in every plot.
  const order = ({ point: { number } }: Curve) => (number === task.best ? 0 : number === task.baseline ? 1 : 2);
  const front = curves.filter(isFront).sort((a, b) => order(a) - order(b));
  const value = ({ point }: Curve) => point.objective;
  const others = curves
    .filter((curve) => !isFront(curve))
    .sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === null || y === null) return Number(x === null) - Number(y === null);
      return x === y ? 0 : isBetter(task.objective, x, y) ? -1 : 1;
    })
    .slice(0, most);
  return { front, others };
}

/** Keys of the columns that a curve may show: times across, rates upwards. */
export function curveKeys(task: PlotTask): { times: string[]; rates: string[] } {
  return {
    times: task.columns.filter(({ unit }) => unit === 'ms').map(({ key }) => key),
    rates: task.columns.filter(({ unit }) => unit.endsWith('/s')).map(({ key }) => key),
  };
}
