import type { Finding } from '@/api/error';
import { documents as words } from '@/text/documents';
import { isRecord, type Path, pathText } from './path';
import { type Parsed, rangeAt } from './read';
import { forms, resolved, type Schema, typesOf } from './schema';

/** Line and column of an offset, from 1. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/**
 * What a schema alone says about a document, at once and without the server: unknown and missing fields, wrong kinds, words
 * and numbers out of range. The server's own findings take its place when they are there.
 */
export function lint(parsed: Parsed, root: Schema): Finding[] {
  if (parsed.problem) {
    const { message, line, column } = parsed.problem;
    return [{ severity: 'error', line, column, length: 1, field: '', message: words.unreadable(message) }];
  }
  const found: Finding[] = [];
  const tell = (path: Path, message: string, allowed?: string) => {
    const range = rangeAt(parsed.doc, path) ?? [0, 1];
    const end = parsed.text.indexOf('\n', range[0]);
    const to = Math.min(range[1], end < 0 ? parsed.text.length : end);
    const place = placeOf(parsed.text, range[0]);
    const length = Math.max(1, to - range[0]);
    found.push({ severity: 'error', ...place, length, field: pathText(path), message, allowed });
  };
  check(parsed.value, root, [], root, tell);
  return found;
}

type Tell = (path: Path, message: string, allowed?: string) => void;

function kind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return value === null ? 'null' : typeof value;
}

function accepts(schema: Schema, value: unknown): boolean {
  if (schema.const !== undefined) return schema.const === value;
  const types = typesOf(schema);
  const is = kind(value);
  return types.length === 0 || types.includes(is) || (is === 'integer' && types.includes('number'));
}

function check(value: unknown, schema: Schema, path: Path, root: Schema, tell: Tell) {
  // An absent value stands for the default wherever there is one; the server knows better.
  if (value === null || value === undefined) return;
  const possible = forms(schema, root);
  let fitting = possible.filter((form) => accepts(form, value));
  if (fitting.length === 0) {
    const constants = possible.flatMap((form) => (form.const === undefined ? [] : [String(form.const)]));
    const types = [...new Set(possible.flatMap(typesOf))].map((type) => words.types[type] ?? type);
    if (constants.length > 0) tell(path, words.notOneOf(String(value)), constants.join(', '));
    else tell(path, words.wrongType(types.join(', ')));
    return;
  }
  const byConstant = fitting.filter((form) => constantsFit(form, value));
  if (byConstant.length > 0) fitting = byConstant;
  const form = fitting[0] as Schema;
  if (typeof value === 'number') bounds(value, form, path, tell);
  // Of several forms of maps only the server can tell which was meant.
  if (isRecord(value) && fitting.length === 1) checkMap(value, form, path, root, tell);
  if (Array.isArray(value) && form.items) {
    const items = form.items;
    value.forEach((item, index) => {
      check(item, items, [...path, index], root, tell);
    });
  }
}

function constantsFit(form: Schema, value: unknown): boolean {
  if (!isRecord(value)) return true;
  return Object.entries(form.properties ?? {}).every(
    ([key, of]) => of.const === undefined || (of.const === value[key] && value[key] !== undefined),
  );
}

function bounds(value: number, { minimum, maximum }: Schema, path: Path, tell: Tell) {
  const below = minimum !== undefined && value < minimum;
  const above = maximum !== undefined && value > maximum;
  if (below || above) tell(path, words.outOfRange(value), words.range(minimum, maximum));
}

function checkMap(value: Record<string, unknown>, form: Schema, path: Path, root: Schema, tell: Tell) {
  for (const key of form.required ?? []) {
    if (!(key in value)) tell(path, words.missing(key));
  }
  for (const [key, one] of Object.entries(value)) {
    const property = form.properties?.[key];
    const other = form.additionalProperties;
    if (property) check(one, resolved(property, root), [...path, key], root, tell);
    else if (isRecord(other)) check(one, other as Schema, [...path, key], root, tell);
    else if (other === false) tell([...path, key], words.unknown(key), Object.keys(form.properties ?? {}).join(', '));
  }
}
