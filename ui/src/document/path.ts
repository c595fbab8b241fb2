/** Where something stands in a document: keys of maps, positions in lists. */
export type Path = readonly (string | number)[];

/** As the server writes places: `search_space.parameters.max-num-seqs`, `slos[0].max_ms`. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : text ? `.${part}` : part;
  return text;
}

/** What stands at a place of plain data. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (at === null || typeof at !== 'object') return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}

/** Plain data with a value at a place; what leads there is made. Nothing that was given changes. */
export function withValue(value: unknown, path: Path, next: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return next;
  if (typeof part === 'number') {
    const list = Array.isArray(value) ? [...value] : [];
    list[part] = withValue(list[part], rest, next);
    return list;
  }
  const map = isRecord(value) ? value : {};
  return { ...map, [part]: withValue(map[part], rest, next) };
}

/** Plain data without what stands at a place. */
export function without(value: unknown, path: Path): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return undefined;
  if (rest.length > 0) {
    const child = valueAt(value, [part]);
    return child === undefined ? value : withValue(value, [part], without(child, rest));
  }
  if (Array.isArray(value)) return value.filter((_, index) => index !== part);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== part));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Whether two plain values say the same; the order of keys says nothing. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((one, index) => same(one, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
