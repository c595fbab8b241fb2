import type { Goal, Metric, Objective, ObjectiveName, Stat, TaskSpec } from '@/api/types';
import { metrics } from '@/text/common';
import { figure, smallerIsBetter, unitOf } from './quantity';

/** An objective with nothing left to default, as `Objective::resolve` in `crates/tuner-core/src/task/objective.rs`. */
export interface ResolvedObjective {
  metric: Metric;
  stat: Stat;
  goal: Goal;
  across: 'best' | 'worst' | { level: number };
  perGpu: boolean;
}

const NAMED: Record<ObjectiveName, [metric: Metric, perGpu: boolean]> = {
  maximize_throughput: ['output_throughput', false],
  maximize_throughput_per_gpu: ['output_throughput', true],
  minimize_latency: ['e2e_latency', false],
  minimize_ttft: ['ttft', false],
  minimize_tpot: ['tpot', false],
  maximize_goodput: ['goodput', false],
  maximize_goodput_per_gpu: ['goodput', true],
};

export function resolveObjective(objective: Objective): ResolvedObjective {
  if (typeof objective === 'string') {
    const [metric, per_gpu] = NAMED[objective] ?? (['output_throughput', false] as const);
    return resolveObjective({ metric, per_gpu });
  }
  const smaller = smallerIsBetter(objective.metric);
  return {
    metric: objective.metric,
    stat: objective.stat ?? 'mean',
    goal: objective.goal ?? (smaller ? 'minimize' : 'maximize'),
    across: objective.across ?? (smaller ? 'worst' : 'best'),
    perGpu: objective.per_gpu ?? false,
  };
}

/** The objective that decides; every task has one. */
export function firstObjective(task: Pick<TaskSpec, 'objectives'>): ResolvedObjective {
  return resolveObjective(task.objectives[0] ?? 'maximize_throughput');
}

/** `Output throughput per GPU`, `Time to first token p99`. */
export function objectiveName({ metric, stat, perGpu }: ResolvedObjective): string {
  const name = metrics[metric] ?? metric;
  return `${name}${unitOf(metric) === 'ms' ? ` ${stat}` : ''}${perGpu ? ' per GPU' : ''}`;
}

/** A value of it with its unit. */
export function objectiveFigure(objective: ResolvedObjective, value: number | null | undefined, digits = 3): string {
  const text = figure(objective.metric, value, digits);
  return objective.perGpu && value !== null && value !== undefined && unitOf(objective.metric) ? `${text}/GPU` : text;
}

/** How much better `value` is than `base`, as a share: above 0 is better, whichever way that is. */
export function gain(objective: Pick<ResolvedObjective, 'goal'>, value: number, base: number): number | undefined {
  if (!(value > 0) || !(base > 0)) return undefined;
  return (objective.goal === 'minimize' ? base / value : value / base) - 1;
}
