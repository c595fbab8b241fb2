import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument } from 'yaml';
import { isRecord, type Path } from './path';

/** Why a text cannot be read as a document. */
export interface Problem {
  message: string;
  line: number;
  column: number;
}

export interface Parsed {
  text: string;
  doc: Document;
  /** Plain data; a map without entries where the text is empty. */
  value: Record<string, unknown>;
  problem: Problem | null;
}

/** As the server reads: YAML 1.2, no key twice. */
export function read(text: string): Document {
  return parseDocument(text, { version: '1.2', uniqueKeys: true, prettyErrors: true });
}

let last: Parsed | null = null;

/** A text as a document. The last one is remembered: form, editor and checks ask for the same. */
export function parse(text: string): Parsed {
  if (last?.text === text) return last;
  last = parseAnew(text);
  return last;
}

function parseAnew(text: string): Parsed {
  const doc = read(text);
  const wrong = doc.errors[0];
  const broken = { text, doc, value: {} };
  if (wrong) {
    const at = wrong.linePos?.[0];
    const message = (wrong.message.split(' at line ')[0] ?? '').trim();
    return { ...broken, problem: { message, line: at?.line ?? 1, column: at?.col ?? 1 } };
  }
  try {
    const value: unknown = doc.toJS({ maxAliasCount: 1000 }) ?? {};
    if (isRecord(value)) return { text, doc, value, problem: null };
    return { ...broken, problem: { message: NO_MAP, line: 1, column: 1 } };
  } catch (error) {
    return { ...broken, problem: { message: error instanceof Error ? error.message : '', line: 1, column: 1 } };
  }
}

const NO_MAP = 'Not a map of fields';

/** A node with the key or position that it has in its parent. */
export interface Step {
  key: string | number | null;
  node: Node | null;
  /** Where the parent is a map. */
  pair: Pair<Node, Node | null> | null;
}

/** The nodes on the way to a place, the root first; ends where something is missing. */
export function walk(doc: Document, path: Path): Step[] {
  const steps: Step[] = [{ key: null, node: doc.contents, pair: null }];
  let node: Node | null = doc.contents;
  for (const key of path) {
    let pair: Step['pair'] = null;
    if (isMap(node)) {
      const found = node.items.find((item) => keyOf(item.key) === String(key));
      if (!found) break;
      pair = found as Step['pair'];
      node = (found.value as Node | null) ?? null;
    } else if (isSeq(node) && typeof key === 'number' && key < node.items.length) {
      node = node.items[key] as Node;
    } else break;
    steps.push({ key, node, pair });
  }
  return steps;
}

/** The node at a place; null where there is none. */
export function nodeAt(doc: Document, path: Path): Node | null {
  const steps = walk(doc, path);
  return steps.length === path.length + 1 ? (steps.at(-1)?.node ?? null) : null;
}

export function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.source ?? key.value) : String(key);
}

/** A scalar as it is written, without quotes: `1.0` stays `1.0`. */
export function sourceAt(doc: Document, path: Path): string | undefined {
  let node: Node | null | undefined = nodeAt(doc, path);
  if (isAlias(node)) node = node.resolve(doc);
  if (!isScalar(node)) return undefined;
  return typeof node.value === 'number' ? String(node.source ?? node.value) : String(node.value);
}

/** Offsets of a place: of its key and value where it has a key. */
export function rangeAt(doc: Document, path: Path): [from: number, to: number] | null {
  const steps = walk(doc, path);
  if (steps.length !== path.length + 1) return null;
  const { node, pair } = steps.at(-1) as Step;
  const key = pair?.key as Node | undefined;
  const from = key?.range?.[0] ?? node?.range?.[0];
  const to = node?.range?.[1] ?? key?.range?.[1];
  return from === undefined || to === undefined ? null : [from, Math.max(from, to)];
}

/** The place that an offset of the text is in: the innermost. */
export function placeAt(doc: Document, offset: number): { path: (string | number)[]; isKey: boolean } {
  const path: (string | number)[] = [];
  let node: Node | null = doc.contents;
  const covers = (one: Node | null | undefined) =>
    one?.range !== undefined && one.range !== null && offset >= one.range[0] && offset <= one.range[1];
  for (;;) {
    if (isMap(node)) {
      const pair: Step['pair'] = (node.items.find(({ key, value }) => covers(key as Node) || covers(value as Node)) ??
        null) as Step['pair'];
      if (!pair) return { path, isKey: false };
      path.push(keyOf(pair.key));
      if (covers(pair.key)) return { path, isKey: true };
      node = pair.value;
    } else if (isSeq(node)) {
      const index: number = node.items.findIndex((item) => covers(item as Node));
      if (index < 0) return { path, isKey: false };
      path.push(index);
      node = node.items[index] as Node;
    } else return { path, isKey: false };
  }
}
