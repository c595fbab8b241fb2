import { binsOf } from './bins';
import type { PlotTask, Point } from './points';
import { wilson } from './statistics';

/** A condition on one parameter: `max-num-seqs ≥ 256`. */
export interface Condition {
  parameter: string;
  words: string;
  holds: (point: Point) => boolean;
}

/** Where configurations cannot run: `failed` of `tried` that meet all conditions. */
export interface Rule {
  conditions: Condition[];
  failed: number;
  tried: number;
  share: number;
  low: number;
  high: number;
  numbers: number[];
}

const FEWEST = 3;
/** Pairs are made of so many of the best conditions. */
const PAIRED = 12;

function isBad(point: Point): boolean {
  return point.class === 'infeasible' || point.state === 'infeasible';
}

/** What was tried and says whether its configuration can run. */
export function known(task: PlotTask): Point[] {
  return task.points.filter((point) => point.role !== 'verify' && (isBad(point) || point.objective !== null));
}

function conditionsOf(parameter: string, points: readonly Point[]): Condition[] {
  const bins = binsOf(parameter, points);
  const equal = bins.labels.map((label, at): Condition => {
    const isRange = label.includes(' – ');
    const words = isRange ? `${parameter} ∈ ${label}` : `${parameter} = ${label}`;
    return { parameter, words, holds: (point) => bins.of(point.configuration[parameter]) === at };
  });
  if (!bins.isNumeric) return equal;
  const values = points.map((point) => point.configuration[parameter]).filter((value) => typeof value === 'number');
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const cuts = [...new Set(Array.from({ length: 9 }, (_, n) => sorted[Math.floor(((n + 1) * sorted.length) / 10)]))];
  const ends = cuts.flatMap((cut): Condition[] => {
    if (cut === undefined || cut === sorted[0]) return [];
    const shown = Number(cut.toPrecision(4));
    const is = (test: (value: number) => boolean) => (point: Point) => {
      const value = point.configuration[parameter];
      return typeof value === 'number' && test(value);
    };
    return [
      { parameter, words: `${parameter} ≥ ${shown}`, holds: is((value) => value >= shown) },
      { parameter, words: `${parameter} < ${shown}`, holds: is((value) => value < shown) },
    ];
  });
  return [...ends, ...(sorted.length <= 8 ? equal : [])];
}

function ruleOf(conditions: Condition[], points: readonly Point[]): Rule {
  const matching = points.filter((point) => conditions.every((condition) => condition.holds(point)));
  const bad = matching.filter(isBad);
  const numbers = bad.map(({ number }) => number);
  return { conditions, failed: bad.length, tried: matching.length, ...wilson(bad.length, matching.length), numbers };
}

/**
 * Where configurations cannot run, surest first: conditions and pairs of them of which surely (95 % Wilson interval) a larger
 * share fails than of all, at least three. A rule that says no more than a shorter one is left out.
 */
export function rulesOf(task: PlotTask, most = 8): Rule[] {
  const points = known(task);
  const bad = points.filter(isBad);
  if (bad.length < FEWEST || bad.length === points.length) return [];
  const base = bad.length / points.length;
  const isTelling = (rule: Rule) => rule.failed >= FEWEST && rule.low > base;
  const bySureness = (a: Rule, b: Rule) => b.low - a.low || b.failed - a.failed;
  const single = task.parameters
    .flatMap((parameter) => conditionsOf(parameter, points))
    .map((condition) => ruleOf([condition], points))
    .filter(isTelling)
    .sort(bySureness);
  const heads = single.slice(0, PAIRED);
  const pairs = heads.flatMap((first, at) =>
    heads.slice(at + 1).flatMap((second) => {
      const conditions = [...first.conditions, ...second.conditions];
      if (conditions[0]?.parameter === conditions[1]?.parameter) return [];
      const rule = ruleOf(conditions, points);
      return isTelling(rule) && rule.low > Math.max(first.low, second.low) + 0.05 ? [rule] : [];
    }),
  );
  const kept: Rule[] = [];
  for (const rule of [...single, ...pairs].sort(bySureness)) {
    const names = (it: Rule) => it.conditions.map(({ parameter }) => parameter).join();
    if (kept.some((other) => names(other) === names(rule))) continue;
    kept.push(rule);
    if (kept.length === most) break;
  }
  return kept;
}

export interface Reason {
  reason: string;
  numbers: number[];
}

/** What could not run or failed, by reason, most first. */
export function reasonsOf(task: PlotTask): Reason[] {
  const found = new Map<string, number[]>();
  for (const point of task.points) {
    if (point.objective !== null || point.state === 'open' || point.state === 'cancelled') continue;
    const reason = point.failure?.class ?? point.state;
    found.set(reason, [...(found.get(reason) ?? []), point.number]);
  }
  return [...found]
    .map(([reason, numbers]) => ({ reason, numbers }))
    .sort((a, b) => b.numbers.length - a.numbers.length);
}
