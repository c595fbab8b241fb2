import type { Goal, Metric, Objective, ObjectiveName, SloSpec, Stat, TaskSpec } from '@/api/types';
import { smallerIsBetter, unitOf } from '@/format';
import { metrics } from '@/text/common';

/** An objective with nothing left to default. As `Objective::resolve` in `crates/tuner-core/src/task/objective.rs`. */
export interface ResolvedObjective {
  metric: Metric;
  stat: Stat;
  goal: Goal;
  perGpu: boolean;
  unit: string;
  /** `Output throughput`, `Time to first token p99` */
  label: string;
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

export function isTime(metric: Metric): boolean {
  return unitOf(metric) === 'ms';
}

/** A metric with the number of it that is meant: `Time to first token p99`. */
export function figureLabel(metric: Metric, stat: Stat): string {
  return isTime(metric) ? `${metrics[metric] ?? metric} ${stat}` : (metrics[metric] ?? metric);
}

export function resolveObjective(objective: Objective | undefined): ResolvedObjective {
  const wanted = objective ?? 'maximize_throughput';
  const [metric, perGpu] = typeof wanted === 'string' ? NAMED[wanted] : [wanted.metric, wanted.per_gpu ?? false];
  const stat = typeof wanted === 'string' ? 'mean' : (wanted.stat ?? 'mean');
  const own = smallerIsBetter(metric) ? 'minimize' : 'maximize';
  const goal = typeof wanted === 'string' ? own : (wanted.goal ?? own);
  const unit = unitOf(metric) + (perGpu ? '/GPU' : '');
  return { metric, stat, goal, perGpu, unit, label: figureLabel(metric, stat) };
}

export function objectivesOf(spec: TaskSpec): ResolvedObjective[] {
  return spec.objectives.map(resolveObjective);
}

/** What must hold, as plots draw it. */
export interface Limit {
  metric: Metric;
  stat: Stat;
  bound: 'max' | 'min';
  value: number;
  /** As scores name it: `ttft p99 ≤ 1500 ms`. */
  label: string;
}

export function limitOf(slo: SloSpec): Limit | null {
  const stat = slo.stat ?? (isTime(slo.metric) ? 'p99' : 'mean');
  const most = slo.max_ms ?? slo.max;
  const value = most ?? slo.min;
  if (value === undefined || value === null) return null;
  const unit = unitOf(slo.metric);
  const sign = most === undefined || most === null ? '≥' : '≤';
  const label = `${slo.metric} ${stat} ${sign} ${value}${unit && ' '}${unit}`;
  return { metric: slo.metric, stat, bound: sign === '≤' ? 'max' : 'min', value, label };
}

export function limitsOf(spec: TaskSpec): Limit[] {
  return (spec.slos ?? []).map(limitOf).filter((limit) => limit !== null);
}
