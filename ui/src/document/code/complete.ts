import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { EngineParameter } from '@/api/engines';
import { documents as words } from '@/text/documents';
import { findParameter } from '../parameter';
import { isRecord, type Path } from '../path';
import { keyOf, placeAt, read } from '../read';
import { choicesOf, forms, propertiesAt, type Schema, schemasAt, typesOf } from '../schema';
import { inline } from '../write';

/** What the editor knows beside the schema. */
export interface Knowledge {
  schema: Schema;
  /** Flags of the document's engine. */
  catalogue?: readonly EngineParameter[];
  presets?: readonly string[];
}

export interface Option {
  label: string;
  /** What is put in place of the word. */
  apply: string;
  kind: 'field' | 'flag' | 'value';
  detail?: string;
  help?: string;
  /** Higher comes first. */
  boost?: number;
}

export interface Options {
  /** Where the word begins that is replaced. */
  from: number;
  options: Option[];
}

const CURSOR = 'QqCursorqQ';

/** What may stand where the cursor is. */
export function optionsAt(text: string, offset: number, known: Knowledge): Options | null {
  const word = /[\w./-]*$/.exec(text.slice(0, offset))?.[0] ?? '';
  const from = offset - word.length;
  const lineHead = text.slice(text.lastIndexOf('\n', from - 1) + 1, from);
  if (/(^|\s)#/.test(lineHead)) return null;
  const rest = /^[\w./-]*/.exec(text.slice(offset))?.[0].length ?? 0;
  const before = text.slice(0, from);
  const after = text.slice(offset + rest);
  const isAfterColon = /[\w"']:\s+$/.test(lineHead);
  const options: Option[] = [];
  if (!isAfterColon) {
    const hasColon = /^\s*:/.test(after);
    const tried = read(`${before}${CURSOR}${hasColon ? '' : ': 0'}${after}`);
    const map = mapWithCursor(tried.contents, []);
    if (map) options.push(...keysAt(map, tried.toJS() as unknown, known, hasColon));
  }
  const tried = read(`${before}${CURSOR}${after}`);
  const place = scalarWithCursor(tried.contents, []);
  if (place) options.push(...valuesAt(place, tried.toJS() as unknown, known));
  return options.length > 0 ? { from, options } : null;
}

interface Found {
  path: Path;
  has: string[];
}

function mapWithCursor(node: Node | null, path: Path): Found | null {
  if (isMap(node)) {
    if (node.items.some(({ key }) => isScalar(key) && key.value === CURSOR)) {
      return { path, has: node.items.map(({ key }) => keyOf(key)) };
    }
    for (const { key, value } of node.items) {
      const found = mapWithCursor(value as Node | null, [...path, keyOf(key)]);
      if (found) return found;
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const found = mapWithCursor(item as Node, [...path, index]);
      if (found) return found;
    }
  }
  return null;
}

function scalarWithCursor(node: Node | null, path: Path): Path | null {
  if (isScalar(node)) return node.value === CURSOR ? path : null;
  const children: [string | number, Node | null][] = isMap(node)
    ? node.items.map(({ key, value }) => [keyOf(key), value as Node | null])
    : isSeq(node)
      ? node.items.map((item, index) => [index, item as Node])
      : [];
  for (const [key, child] of children) {
    const found = scalarWithCursor(child, [...path, key]);
    if (found) return found;
  }
  return null;
}

function keysAt({ path, has }: Found, data: unknown, known: Knowledge, hasColon: boolean): Option[] {
  const after = hasColon ? '' : ': ';
  const found: Option[] = [];
  for (const [key, schema] of propertiesAt(known.schema, path, data)) {
    if (has.includes(key)) continue;
    const nested = forms(schema, known.schema).every((form) => typesOf(form).includes('object'));
    found.push({
      label: key,
      apply: `${key}${hasColon ? '' : nested ? ':' : after}`,
      kind: 'field',
      detail: shape(schema, known.schema),
      help: schema.description,
      boost: 50 - found.length,
    });
  }
  if (holdsFlags(path)) {
    for (const one of known.catalogue ?? []) {
      if (has.includes(one.name) || one.removed) continue;
      found.push({
        label: one.name,
        apply: one.name + after,
        kind: 'flag',
        detail: one.default === undefined ? one.kind : `${one.kind} = ${one.default.slice(0, 20)}`,
        help: one.help,
        boost: one.tunable ? 20 : 0,
      });
    }
  }
  return found;
}

/** Places whose keys are flags of the engine. */
export function holdsFlags(path: Path): boolean {
  const [first, second] = path;
  if (path.length === 1) return first === 'baseline' || first === 'parameters';
  return (
    path.length === 2 &&
    ((first === 'search_space' && second === 'parameters') || (first === 'engine' && second === 'fixed'))
  );
}

function shape(schema: Schema, root: Schema): string | undefined {
  if (schema.default !== undefined) return words.default(inline(schema.default).slice(0, 30));
  const types = [...new Set(forms(schema, root).flatMap(typesOf))];
  return types.map((type) => words.types[type] ?? type).join(', ') || undefined;
}

function valuesAt(path: Path, data: unknown, known: Knowledge): Option[] {
  const found = new Map<string, Option>();
  const put = (value: unknown, help?: string, kind: Option['kind'] = 'value') => {
    const label = inline(value);
    if (!found.has(label)) found.set(label, { label, apply: label, kind, help });
  };
  if (path.at(-2) === 'presets') for (const name of known.presets ?? []) put(name);
  const flag = flagOf(path, known);
  if (flag) {
    if (flag.kind === 'choice') for (const value of flag.values) put(value);
    if (flag.kind === 'switch') for (const value of [true, false]) put(value);
    if (flag.tunable && holdsFlags(path.slice(0, -1)) && path[0] !== 'baseline' && path[1] !== 'fixed') {
      put(flag.tunable, words.worthTrying);
    }
  }
  for (const schema of schemasAt(known.schema, path, data)) {
    for (const { value, description } of choicesOf(schema, known.schema)) put(value, description);
    if (isRecord(schema.default) || Array.isArray(schema.default)) put(schema.default, words.defaultChoice);
  }
  return [...found.values()];
}

/** The flag whose values stand at a place. */
function flagOf(path: Path, known: Knowledge): EngineParameter | undefined {
  for (let depth = 1; depth < path.length; depth++) {
    if (holdsFlags(path.slice(0, depth))) return findParameter(known.catalogue, String(path[depth]));
  }
  return undefined;
}

export interface Hover {
  title: string;
  help: string;
  more: string[];
}

/** What is known about the field or value that an offset is in. */
export function hoverAt(text: string, offset: number, known: Knowledge): Hover | null {
  const doc = read(text);
  const { path, isKey } = placeAt(doc, offset);
  const key = path.at(-1);
  if (key === undefined) return null;
  const data: unknown = doc.errors.length > 0 ? undefined : doc.toJS();
  const flag = flagOf(path, known);
  if (flag && isKey && holdsFlags(path.slice(0, -1))) {
    const more = [
      flag.default !== undefined && words.default(flag.default),
      flag.kind === 'choice' && flag.values.join(', '),
      flag.tunable !== undefined && `${words.worthTrying}: ${inline(flag.tunable)}`,
      flag.aliases?.length && flag.aliases.join(', '),
    ];
    return { title: String(key), help: flag.help, more: more.filter((one) => typeof one === 'string') };
  }
  const schema = schemasAt(known.schema, path, data)[0];
  if (!schema) return null;
  const choices = choicesOf(schema, known.schema);
  const value = isKey ? undefined : choices.find((choice) => inline(choice.value) === wordAt(text, offset));
  const help = value?.description ?? schema.description ?? '';
  const more = [
    schema.default !== undefined && words.default(inline(schema.default)),
    choices.length > 0 && choices.map((choice) => String(choice.value)).join(', '),
    (schema.minimum !== undefined || schema.maximum !== undefined) && words.range(schema.minimum, schema.maximum),
  ];
  return help ? { title: String(key), help, more: more.filter((one) => typeof one === 'string') } : null;
}

function wordAt(text: string, offset: number): string {
  const head = /[\w.-]*$/.exec(text.slice(0, offset))?.[0] ?? '';
  const tail = /^[\w.-]*/.exec(text.slice(offset))?.[0] ?? '';
  return head + tail;
}
