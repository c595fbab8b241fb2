/**
 * Search parameters as plain words: `?status=running,failed&sel=1-40,52`. Each page reads its own with these, from what the
 * address says (texts) and from what links in the code say (typed values).
 */
export type Raw = Record<string, unknown>;

export function parseSearch(text: string): Raw {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Raw): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === '' || value === false) continue;
    if (Array.isArray(value)) {
      if (value.length > 0) words.set(name, value.every((v) => typeof v === 'number') ? ranges(value) : value.join());
    } else words.set(name, value === true ? '1' : String(value));
  }
  // Commas are legal there, and a person reads the address.
  const text = words.toString().replaceAll('%2C', ',');
  return text ? `?${text}` : '';
}

export function text(raw: Raw, name: string): string | undefined {
  const value = raw[name];
  return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
}

export function flag(raw: Raw, name: string): boolean | undefined {
  return raw[name] === true || raw[name] === '1' || raw[name] === 'true' ? true : undefined;
}

export function oneOf<T extends string>(raw: Raw, name: string, words: readonly T[]): T | undefined {
  return words.find((word) => word === raw[name]);
}

export function someOf<T extends string>(raw: Raw, name: string, words: readonly T[]): T[] | undefined {
  const said = list(raw, name);
  const known = said && words.filter((word) => said.includes(word));
  return known?.length ? known : undefined;
}

export function list(raw: Raw, name: string): string[] | undefined {
  const value = raw[name];
  if (Array.isArray(value)) return value.length ? value.map(String) : undefined;
  return typeof value === 'string' && value !== '' ? value.split(',') : undefined;
}

export function integer(raw: Raw, name: string): number | undefined {
  const value = Number(raw[name] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Numbers of experiments: `1-3,7`. */
export function numbers(raw: Raw, name: string): number[] | undefined {
  const value = raw[name];
  if (Array.isArray(value)) return value.length ? value.map(Number) : undefined;
  if (typeof value === 'number') return [value];
  if (typeof value !== 'string') return undefined;
  const found: number[] = [];
  for (const part of value.split(',')) {
    const [, from, to] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(part.trim()) ?? [];
    if (from === undefined) continue;
    const last = Math.min(Number(to ?? from), Number(from) + MOST);
    for (let n = Number(from); n <= last && found.length < MOST; n++) found.push(n);
  }
  return found.length ? found : undefined;
}

const MOST = 20_000;

/** Numbers in few words: 1, 2, 3, 7 is `1-3,7`. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    while (j + 1 < sorted.length && sorted[j + 1] === (sorted[j] ?? 0) + 1) j++;
    parts.push(i === j ? `${sorted[i]}` : `${sorted[i]}-${sorted[j]}`);
    i = j + 1;
  }
  return parts.join();
}
