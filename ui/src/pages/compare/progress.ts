import type { ExperimentItem } from '@/api/types';
import { gain, type ResolvedObjective } from '@/format';

/** The objectives of a task's search, in its order. */
export interface Search {
  name: string;
  objective: ResolvedObjective;
  /** Of the search, baseline first; null where nothing feasible was measured. */
  values: { number: number; value: number | null; isFeasible: boolean }[];
  baseline: number | null;
}

export function searchOf(
  name: string,
  objective: ResolvedObjective,
  items: readonly Pick<ExperimentItem, 'number' | 'role' | 'objective' | 'score'>[],
): Search {
  const searched = items.filter(({ role }) => role.kind !== 'verify');
  return {
    name,
    objective,
    values: searched.map(({ number, objective: value, score }) => ({
      number,
      value,
      isFeasible: score?.class === 'feasible',
    })),
    baseline: searched.find(({ role }) => role.kind === 'baseline')?.objective ?? null,
  };
}

/** As a gain over the own baseline, in percent; null where there is no baseline to compare with. */
function relative(search: Search, value: number): number | null {
  const share = search.baseline === null ? undefined : gain(search.objective, value, search.baseline);
  return share === undefined ? null : share * 100;
}

/** The best feasible value after each experiment: `[how many, value]`. */
export function bestSoFar(search: Search, isRelative: boolean): [n: number, value: number][] {
  const smaller = search.objective.goal === 'minimize';
  let best: number | null = null;
  return search.values.flatMap(({ value, isFeasible }, index): [number, number][] => {
    if (value !== null && isFeasible && (best === null || (smaller ? value < best : value > best))) best = value;
    const shown = best === null ? null : isRelative ? relative(search, best) : best;
    return shown === null ? [] : [[index + 1, shown]];
  });
}

/** For each value the share of measured experiments that are at least as good: `[value, share]`, from bad to good. */
export function reach(search: Search, isRelative: boolean): [value: number, share: number][] {
  const measured = search.values.flatMap(({ value }) => {
    const shown = value === null ? null : isRelative ? relative(search, value) : value;
    return shown === null ? [] : [shown];
  });
  const isLargerBetter = isRelative || search.objective.goal === 'maximize';
  const sorted = measured.sort((a, b) => (isLargerBetter ? a - b : b - a));
  return sorted.map((value, index) => [value, (sorted.length - index) / sorted.length]);
}
