import { stringify } from 'yaml';
import { isRecord } from './path';

/** A number that is written as a person typed it: `1.0` makes real numbers where `1` makes whole ones. */
export class Typed {
  constructor(
    readonly text: string,
    readonly value: number,
  ) {}
}

/** Plain data of what is to be written. */
export function plain(value: unknown): unknown {
  if (value instanceof Typed) return value.value;
  if (Array.isArray(value)) return value.map(plain);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  return value;
}

/** Longest collection that stands on one line. */
const INLINE = 66;

export interface Style {
  /** Inside braces or brackets everything is. */
  flow?: boolean;
  /** Keys and texts in double quotes, so that a JSON file stays one. */
  json?: boolean;
}

function scalar(value: unknown, style: Style): string {
  if (value instanceof Typed) return value.text;
  if (typeof value !== 'string') return value === undefined || value === null ? 'null' : String(value);
  if (style.json || (style.flow && value.includes('\n'))) return JSON.stringify(value);
  if (!style.flow) {
    const [head = '', ...more] = stringify(value, { lineWidth: 0, version: '1.2' }).replace(/\n$/, '').split('\n');
    return [head, ...more.map((line) => (line ? `  ${line}` : line))].join('\n');
  }
  return stringify([value], { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false })
    .trim()
    .slice(1, -1);
}

export function keyText(key: string, style: Style = {}): string {
  return scalar(key, { ...style, flow: true });
}

/** A value on one line. */
export function inline(value: unknown, style: Style = {}): string {
  const inner = { ...style, flow: true };
  if (value instanceof Typed) return value.text;
  if (Array.isArray(value)) return `[${value.map((one) => inline(one, inner)).join(', ')}]`;
  if (!isRecord(value)) return scalar(value, style);
  const pairs = Object.entries(value).map(([key, one]) => `${keyText(key, style)}: ${inline(one, inner)}`);
  return `{${pairs.join(', ')}}`;
}

function isScalarValue(value: unknown): boolean {
  return value instanceof Typed || value === null || typeof value !== 'object';
}

function isEmpty(value: unknown): boolean {
  return Object.keys(value as object).length === 0;
}

/** Whether a value stands on the line of its key. */
export function fitsInline(value: unknown): boolean {
  if (isScalarValue(value)) return true;
  return isEmpty(value) || inline(value).length <= INLINE;
}

type Fits = (value: unknown) => boolean;

/** Lines of a value that stands below its key, not indented. */
export function blockLines(value: unknown, fits: Fits = fitsInline): string[] {
  if (isScalarValue(value) || isEmpty(value)) return inline(value).split('\n');
  if (Array.isArray(value)) return value.flatMap((one) => itemLines(one, fits));
  return Object.entries(value as object).flatMap(([key, one]) => pairLines(key, one, fits));
}

/** Lines of an item of a list. */
export function itemLines(value: unknown, fits: Fits = fitsInline): string[] {
  if (fits(value)) return indentAfter(`- ${inline(value)}`.split('\n'));
  return indentAfter(blockLines(value, fits).map((line, index) => (index === 0 ? `- ${line}` : line)));
}

function indentAfter(lines: string[]): string[] {
  return lines.map((line, index) => (index === 0 || line === '' ? line : `  ${line}`));
}

/** Lines of a key with its value. */
export function pairLines(key: string, value: unknown, fits: Fits = fitsInline): string[] {
  const head = `${keyText(key)}:`;
  if (fits(value)) return `${head} ${inline(value)}`.split('\n');
  return [head, ...blockLines(value, fits).map((line) => `  ${line}`)];
}

/** In whole documents a map that holds lists or maps has a line for each of them. */
function fitsDocument(value: unknown): boolean {
  const holdsMore = isRecord(value) && Object.values(value).some((one) => !isScalarValue(one) && !isEmpty(one));
  return fitsInline(value) && !holdsMore;
}

/** A whole document in the style of our own files: short things on one line. */
export function writeDocument(value: Record<string, unknown>): string {
  const lines = Object.entries(value).flatMap(([key, one]) => pairLines(key, one, fitsDocument));
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
