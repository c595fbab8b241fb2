import type { FlagValue } from '@/api/types';
import { flagValue } from '@/format';
import { findQuantity, type Quantity } from '@/plots/data/axes';
import type { Point } from '@/plots/data/points';

/** A condition on experiments, as people and addresses write it: `max-num-seqs >= 64`, `state = success,missed`. */
export interface Term {
  field: string;
  op: Op;
  values: string[];
}

const OPS = ['!=', '<=', '>=', '=', '<', '>'] as const;
export type Op = (typeof OPS)[number];

/** Fields that are words, besides parameters. */
const WORDS: Record<string, (point: Point) => string | null> = {
  state: (point) => point.state,
  role: (point) => point.role,
  class: (point) => point.class,
  failure: (point) => point.failure?.class ?? null,
};

export function parseTerm(text: string): Term | null {
  const found = /^\s*([^=<>!]+?)\s*(!=|<=|>=|=|<|>)\s*(.+?)\s*$/.exec(text);
  if (!found) return null;
  const [, field = '', op = '=', rest = ''] = found;
  const values = rest.split(',').map((value) => value.trim());
  if (values.some((value) => value === '')) return null;
  // An order has one end.
  if (op !== '=' && op !== '!=' && values.length > 1) return null;
  return { field, op: op as Op, values };
}

/** Terms of an address; what is none is left out. */
export function parseFilter(text: string | undefined): Term[] {
  return (text ?? '').split(';').flatMap((part) => parseTerm(part) ?? []);
}

export function termText({ field, op, values }: Term): string {
  return `${field}${op}${values.join()}`;
}

export function filterText(terms: readonly Term[]): string | undefined {
  return terms.length ? terms.map(termText).join(';') : undefined;
}

/** Whether a field is known; a term about another one would quietly match nothing. */
export function isField(field: string, known: readonly Quantity[]): boolean {
  return field in WORDS || findQuantity(known, field) !== undefined;
}

function compareNumbers(value: FlagValue | undefined, op: Op, limit: number): boolean {
  if (typeof value !== 'number') return false;
  if (op === '<') return value < limit;
  if (op === '<=') return value <= limit;
  if (op === '>') return value > limit;
  return value >= limit;
}

function isOneOf(value: FlagValue | undefined, values: readonly string[]): boolean {
  if (typeof value === 'number') return values.some((wanted) => Number(wanted) === value);
  const word = value === undefined ? 'unset' : flagValue(value);
  return values.some((wanted) => wanted === word || wanted === value);
}

/** What a filter lets through. */
export function matcher(terms: readonly Term[], known: readonly Quantity[]): (point: Point) => boolean {
  const tests = terms.map(({ field, op, values }) => {
    const word = WORDS[field];
    const quantity = word ? undefined : findQuantity(known, field);
    const of = (point: Point): FlagValue | undefined => (word ? (word(point) ?? undefined) : quantity?.of(point));
    if (op === '=') return (point: Point) => isOneOf(of(point), values);
    if (op === '!=') return (point: Point) => !isOneOf(of(point), values);
    const limit = Number(values[0]);
    return (point: Point) => compareNumbers(of(point), op, limit);
  });
  return (point) => tests.every((test) => test(point));
}

/** The same terms with one replaced or put at the end; equal `=` terms on a field are one. */
export function withTerm(terms: readonly Term[], term: Term): Term[] {
  const isSame = (other: Term) => other.field === term.field && other.op === term.op;
  const rest = terms.filter((other) => !isSame(other));
  return [...rest, term];
}

/** Experiments of a state come and go with a click. */
export function toggleState(terms: readonly Term[], state: string): Term[] {
  const mine = terms.find(({ field, op }) => field === 'state' && op === '=');
  const rest = terms.filter((term) => term !== mine);
  const values = mine?.values ?? [];
  const next = values.includes(state) ? values.filter((value) => value !== state) : [...values, state];
  return next.length ? [...rest, { field: 'state', op: '=', values: next }] : rest;
}
