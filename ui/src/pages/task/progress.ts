import type { TaskDetail } from '@/api/types';
import type { BlockState } from '@/components/Progress';
import type { PhaseName, ServerEvent } from '@/events';
import type { PlotTask, Point } from '@/plots/data/points';

export interface Counts {
  /** Experiments that the budget counts. */
  searched: number;
  budget: number;
  verified: number;
  planned: number;
}

/** How far a task is. Experiments that were known to be impossible cost nothing and are not counted. */
export function countsOf(task: TaskDetail, plot: PlotTask): Counts {
  const { budget, verification } = task.task;
  const ended = (point: Point) => point.state !== 'open';
  const searched = plot.points.filter((point) => point.role !== 'verify' && !point.isPredicted && ended(point)).length;
  const verified = plot.points.filter((point) => point.role === 'verify' && ended(point)).length;
  return { searched, budget: budget.experiments, verified, planned: 2 * verification.blocks };
}

/** A bar knows no missed SLOs: what was measured was a success. */
export function blockOf(point: Point): { number: number; state: BlockState } {
  return { number: point.number, state: point.state === 'missed' ? 'success' : point.state };
}

export interface PhaseNow {
  phase: PhaseName;
  level?: number;
  since: string;
}

/** The phase that each experiment is in, by its last event. */
export function phasesNow(events: readonly ServerEvent[]): Map<number, PhaseNow> {
  const now = new Map<number, PhaseNow>();
  for (const event of events) {
    if (event.experiment === undefined) continue;
    if (event.kind === 'phase') now.set(event.experiment, { phase: event.phase, level: event.level, since: event.at });
    else if (event.kind === 'experiment_ended' || event.kind === 'attempt_started') now.delete(event.experiment);
  }
  return now;
}
