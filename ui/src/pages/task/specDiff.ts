/** Differences between documents, field by field. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Field {
  path: string;
  value: string;
}

export interface Difference {
  path: string;
  before: string | null;
  after: string | null;
}

function isPlain(value: Json): boolean {
  return value === null || typeof value !== 'object';
}

/** Every field with its path; lists of plain values are one field. */
export function fieldsOf(value: Json, path = ''): Field[] {
  if (isPlain(value)) return [{ path, value: JSON.stringify(value) ?? 'null' }];
  if (Array.isArray(value)) {
    if (value.every(isPlain)) return [{ path, value: `[${value.map((it) => JSON.stringify(it)).join(', ')}]` }];
    return value.flatMap((it, index) => fieldsOf(it, `${path}[${index}]`));
  }
  const entries = Object.entries(value as Record<string, Json>);
  if (entries.length === 0) return [{ path, value: '{}' }];
  return entries.flatMap(([name, it]) => fieldsOf(it, path ? `${path}.${name}` : name));
}

/** Fields in which two documents differ, in the order of the second. */
export function differences(before: Json, after: Json): Difference[] {
  const [old, now] = [new Map(fieldsOf(before).map((it) => [it.path, it.value])), fieldsOf(after)];
  const present = new Set(now.map(({ path }) => path));
  const changed = now.flatMap(({ path, value }) => {
    const was = old.get(path) ?? null;
    return was === value ? [] : [{ path, before: was, after: value }];
  });
  const gone = [...old].filter(([path]) => !present.has(path));
  return [...changed, ...gone.map(([path, value]) => ({ path, before: value, after: null }))];
}

/** Fields of the whole document that the given one left to defaults. */
export function filledIn(given: Json, whole: Json): Field[] {
  const said = new Set(fieldsOf(given).map(({ path }) => path));
  // What was given in a short form (a word for an object) is not a default.
  const isWithin = (path: string) =>
    [...said].some((other) => path.startsWith(`${other}.`) || path.startsWith(`${other}[`));
  return fieldsOf(whole).filter(({ path }) => !said.has(path) && !isWithin(path));
}
