import type { Configuration, FlagValue } from '@/api/types';

export interface ParameterRow {
  name: string;
  here: FlagValue | undefined;
  baseline: FlagValue | undefined;
  differs: boolean;
}

/** Parameters of two configurations side by side. Absent ones are the engine's default. */
export function parameterRows(here: Configuration, baseline: Configuration): ParameterRow[] {
  const names = [...new Set([...Object.keys(here), ...Object.keys(baseline)])].sort();
  return names.map((name) => ({
    name,
    here: here[name],
    baseline: baseline[name],
    differs: here[name] !== baseline[name],
  }));
}
