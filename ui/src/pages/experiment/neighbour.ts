import type { Configuration, FlagValue, ParameterSpec } from '@/api/types';

/** How a parameter's value is chosen. */
export type Choice =
  | { kind: 'list'; values: FlagValue[] }
  | { kind: 'range'; low: number; high: number; isInteger: boolean };

export function choiceOf(spec: ParameterSpec): Choice {
  if (Array.isArray(spec)) return { kind: 'list', values: spec };
  if (spec === 'bool') return { kind: 'list', values: [false, true] };
  if (spec.type === 'bool') return { kind: 'list', values: [false, true] };
  if (spec.values) return { kind: 'list', values: spec.values };
  const { low = 0, high = 0, step } = spec;
  const isInteger =
    spec.type === 'int' || (spec.type !== 'float' && [low, high, step ?? 1].every((value) => Number.isInteger(value)));
  return { kind: 'range', low, high, isInteger };
}

/** A value as the word of a list: texts and numbers that look alike stay apart. */
export const wordOf = (value: FlagValue): string => JSON.stringify(value);

/** Values to begin with: those of the experiment, else the first that is allowed. */
export function startValues(parameters: Record<string, ParameterSpec>, from: Configuration): Configuration {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, spec]) => {
      if (name in from) return [name, from[name] ?? null];
      const choice = choiceOf(spec);
      return [name, choice.kind === 'list' ? (choice.values[0] ?? null) : choice.low];
    }),
  );
}

export function changedNames(from: Configuration, to: Configuration): string[] {
  return Object.keys(to).filter((name) => from[name] !== to[name]);
}
