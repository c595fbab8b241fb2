import type { FlagValue } from '@/api/types';
import { flagValue, number } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import type { Point } from './points';

/** Values of a parameter in few groups: each value its own, or ranges with about as many experiments each. */
export interface Bins {
  name: string;
  isNumeric: boolean;
  labels: string[];
  /** Group of a value. */
  of: (value: FlagValue | undefined) => number;
}

const MOST = 8;
const collator = new Intl.Collator('en', { numeric: true });

function word(value: FlagValue | undefined): string {
  return value === undefined ? words.slice.notSet : flagValue(value);
}

/** Groups of a parameter's values, in order, at most `most`; `not set` is a group of its own. */
export function binsOf(name: string, points: readonly Point[], most = MOST): Bins {
  const values = points.map((point) => point.configuration[name]);
  const set = values.filter((value) => value !== undefined);
  const isNumeric = set.length > 0 && set.every((value) => typeof value === 'number');
  if (isNumeric && new Set(set).size > most) return ranges(name, set as number[], set.length < values.length, most);
  const labels = [...new Set(values.map(word))].sort((a, b) => {
    const [noA, noB] = [a === words.slice.notSet, b === words.slice.notSet];
    return noA || noB ? Number(noB) - Number(noA) : collator.compare(a, b);
  });
  const index = new Map(labels.map((label, at) => [label, at]));
  return { name, isNumeric, labels, of: (value) => index.get(word(value)) ?? -1 };
}

function ranges(name: string, values: number[], some: boolean, most: number): Bins {
  const sorted = values.toSorted((a, b) => a - b);
  const cuts: number[] = [];
  for (let n = 1; n < most; n++) {
    const cut = sorted[Math.floor((n * sorted.length) / most)] as number;
    if (cut > (cuts.at(-1) ?? (sorted[0] as number))) cuts.push(cut);
  }
  const ends = [sorted[0] as number, ...cuts, sorted.at(-1) as number];
  const named = ends.slice(0, -1).map((low, at) => `${number(low)} – ${number(ends[at + 1])}`);
  const shift = some ? 1 : 0;
  const labels = some ? [words.slice.notSet, ...named] : named;
  const of = (value: FlagValue | undefined) => {
    if (typeof value !== 'number') return some ? 0 : -1;
    let at = 0;
    while (at < cuts.length && value >= (cuts[at] as number)) at++;
    return at + shift;
  };
  return { name, isNumeric: true, labels, of };
}
