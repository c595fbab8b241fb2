import { binsOf } from './bins';
import type { PlotTask, Point } from './points';
import { stability } from './statistics';

/** What parameters are asked to explain. */
export type Target = 'objective' | 'infeasible' | `slo ${number}`;

export interface Alone {
  parameter: string;
  value: number;
  low: number;
  high: number;
}

export interface AloneResult {
  parameters: Alone[];
  /** Experiments that it rests on. */
  n: number;
  /** Whether there is anything to explain. */
  varies: boolean;
}

/** What is explained, for each experiment that says something about it. */
function rowsOf(task: PlotTask, target: Target): [Point, number][] {
  const search = task.points.filter((point) => point.role !== 'verify');
  if (target === 'objective') {
    return search.flatMap((point) => (point.objective === null ? [] : [[point, point.objective]]));
  }
  if (target === 'infeasible') {
    const known = search.filter((point) => point.class === 'infeasible' || point.objective !== null);
    return known.map((point) => [point, point.class === 'infeasible' ? 1 : 0]);
  }
  const index = Number(target.slice(4));
  return search.flatMap((point) => {
    const violation = point.slos[index]?.violation;
    return violation === null || violation === undefined ? [] : [[point, violation > 0 ? 1 : 0]];
  });
}

/** How much of a target each parameter explains alone, with an interval that says how stable that is. */
export function alone(task: PlotTask, target: Target): AloneResult {
  const rows = rowsOf(task, target);
  const y = Float64Array.from(rows, ([, value]) => value);
  const points = rows.map(([point]) => point);
  const varies = y.some((value) => value !== y[0]);
  const parameters = task.parameters.map((parameter, at) => {
    const bins = binsOf(parameter, points);
    const groups = Int32Array.from(points, (point) => bins.of(point.configuration[parameter]));
    return { parameter, ...stability(groups, y, bins.labels.length, at + 1) };
  });
  return { parameters, n: rows.length, varies };
}
