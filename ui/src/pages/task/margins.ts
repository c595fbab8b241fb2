import type { LevelScore, Verdict } from '@/api/types';
import type { Limit } from '@/plots/data/objective';
import type { PlotTask, Point } from '@/plots/data/points';

/** How an SLO holds for one side of the verdict. */
export interface Margin {
  limit: Limit;
  /** The worst over the runs that count; null where it was not measured. */
  worst: number | null;
  /** Relative; above 0 it is missed. */
  violation: number | null;
  runs: number;
}

/** The level at which a side of the final comparison is looked at. */
function levelOf(point: Point, level: number | undefined): LevelScore | undefined {
  return point.levelScores.find((score) => score.level === (level ?? point.level));
}

/** Margins of one side: over its runs of the verification where there are some, else over its run in the search. */
export function marginsOf(task: PlotTask, verdict: Verdict | null, arm: 'baseline' | 'best'): Margin[] {
  const number = arm === 'baseline' ? task.baseline : task.best;
  const verified = task.points.filter((point) => point.role === 'verify' && point.arm === arm && point.class !== null);
  const searched = task.points.filter((point) => point.number === number);
  const level = arm === 'baseline' ? verdict?.comparison?.baseline_level : verdict?.comparison?.best_level;
  const runs = verified.length ? verified : searched;
  return task.limits.map((limit, index) => {
    const results = runs
      .map((point) => levelOf(point, verified.length ? level : undefined)?.slos[index])
      .filter((slo) => slo?.violation !== null && slo?.violation !== undefined);
    const worst = results.toSorted((a, b) => (b?.violation ?? 0) - (a?.violation ?? 0))[0];
    return { limit, worst: worst?.actual ?? null, violation: worst?.violation ?? null, runs: results.length };
  });
}
