/**
 * Changes to the text of a document that leave everything else as it was written: comments, order, spaces, quotes. Each
 * change is cut into the text where its node stands and then read back; where that does not give what was meant (anchors,
 * rare forms), the library writes the document anew.
 */
import { isCollection, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from 'yaml';
import {
  checked,
  column,
  cut,
  dashOf,
  endOf,
  from,
  indented,
  lineEnd,
  lineStart,
  pairEnd,
  startOf,
  styleIn,
  to,
} from './cut';
import { type Path, valueAt, without, withValue } from './path';
import { nodeAt, parse, type Step, walk } from './read';
import { blockLines, fitsInline, inline, itemLines, keyText, pairLines, plain, type Style } from './write';

/** What the schema says about places: the order of a map's keys, and whether a place is required. */
export interface Guide {
  order?: (path: Path) => readonly string[] | undefined;
  required?: (path: Path) => boolean;
}

/** Sets a value; what leads to it is made. */
export function setIn(text: string, path: Path, value: unknown, guide: Guide = {}): string {
  const { doc, value: whole, problem } = parse(text);
  if (problem) return text;
  const steps = walk(doc, path);
  const expected = withValue(whole, path, plain(value));
  // What is no collection cannot be gone into: it is replaced as a whole.
  const reached = steps.length - 1;
  const end = steps[reached] as Step;
  const rest = path.slice(reached);
  let next: string | null = null;
  if (rest.length === 0) next = replace(text, steps, reached, value);
  else if (isCollection(end.node)) next = insert(text, steps, path.slice(0, reached), rest, value, guide);
  else if (reached === 0) next = appendRoot(text, rest, value);
  else next = replace(text, steps, reached, withValue(undefined, rest, value));
  return checked(text, next, expected, (fresh) => {
    const made =
      rest.length > 1 || !isCollection(end.node) ? path.slice(0, reached + (isCollection(end.node) ? 1 : 0)) : path;
    const at = made.length < path.length ? withValue(undefined, path.slice(made.length), plain(value)) : plain(value);
    if (made.length === 0) fresh.contents = fresh.createNode(at) as unknown as typeof fresh.contents;
    else fresh.setIn(made, fresh.createNode(at));
  });
}

function replace(text: string, steps: readonly Step[], at: number, value: unknown, asBlock = false): string | null {
  const { node, pair } = steps[at] as Step;
  const parent = steps[at - 1]?.node;
  if (!parent) return null;
  const style = styleIn(steps, at);
  const old = node?.range ? text.slice(from(node), to(node)) : '';
  const isBlock = isCollection(node) && !node.flow;
  const isLong = !style.flow && (asBlock || !fitsInline(value));
  const line = (indent: number) => indented(inline(value, style).split('\n'), indent).trimStart();
  if (!isBlock && !isLong && old !== '' && !old.endsWith('\n')) {
    return cut(text, from(node), to(node), line(pair ? column(text, from(pair.key as Node)) : 0));
  }
  if (pair) {
    const key = pair.key as Node;
    const colon = text.indexOf(':', to(key));
    const indent = column(text, from(key));
    const end = old === '' ? colon + 1 : to(node);
    const tail = old.endsWith('\n') ? '\n' : '';
    if (!isLong) return cut(text, colon + 1, end, ` ${line(indent)}${tail}`);
    return cut(text, colon + 1, end, `\n${indented(blockLines(value), indent + 2)}${tail}`);
  }
  if (style.flow || old === '') return null;
  const lines = isLong ? blockLines(value) : inline(value, style).split('\n');
  const tail = old.endsWith('\n') ? '\n' : '';
  return cut(text, from(node), to(node), indented(lines, column(text, from(node))).trimStart() + tail);
}

function appendRoot(text: string, rest: Path, value: unknown): string {
  const [key, ...inner] = rest;
  const lines = pairLines(String(key), inner.length ? withValue(undefined, inner, value) : value);
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${gap}${lines.join('\n')}\n`;
}

function insert(text: string, steps: readonly Step[], path: Path, rest: Path, value: unknown, guide: Guide) {
  const at = steps.length - 1;
  const node = steps[at]?.node as Node;
  const [key, ...inner] = rest;
  const put = inner.length > 0 ? withValue(undefined, inner, value) : value;
  const style = styleIn(steps, at + 1);
  // What was empty has a line for each of its entries from now on.
  const isOpen = isMap(node) && node.items.length === 0 && !styleIn(steps, at).flow;
  if (isOpen && steps[at]?.pair) return replace(text, steps, at, { [String(key)]: put }, true);
  if (isMap(node)) return insertPair(text, node, String(key), put, style, guide.order?.(path));
  if (isSeq(node)) return insertItem(text, node, Number(key), put, style);
  return null;
}

/** The pair after which a new key belongs: the last that the order has before it, else the last of all. */
function neighbour(map: YAMLMap, key: string, order: readonly string[] | undefined): number {
  const rank = order?.indexOf(key) ?? -1;
  if (!order || rank < 0) return map.items.length - 1;
  const ranks = map.items.map((item) => order.indexOf(String(isScalar(item.key) ? item.key.value : item.key)));
  return ranks.findLastIndex((other) => other >= 0 && other < rank);
}

function insertPair(
  text: string,
  map: YAMLMap,
  key: string,
  value: unknown,
  style: Style,
  order?: readonly string[],
): string | null {
  const after = neighbour(map, key, order);
  const first = map.items[0];
  if (!first) {
    if (!map.flow) return null;
    return cut(
      text,
      from(map) + 1,
      from(map) + 1,
      `${keyText(key, style)}: ${inline(value, { ...style, flow: true })}`,
    );
  }
  const previous = map.items[after];
  const firstKey = from(first.key as Node);
  if (map.flow) {
    const put = `${keyText(key, style)}: ${inline(value, { ...style, flow: true })}`;
    const lines = text.slice(from(map), firstKey).includes('\n');
    const gap = lines ? `,\n${' '.repeat(column(text, firstKey))}` : ', ';
    return previous
      ? cut(text, pairEnd(previous), pairEnd(previous), gap + put)
      : cut(text, firstKey, firstKey, put + gap);
  }
  const indent = column(text, firstKey);
  const put = indented(pairLines(key, value), indent);
  if (previous) return putLines(text, lineEnd(text, pairEnd(previous)), put);
  const start = lineStart(text, firstKey);
  // The first key of an item stands behind its dash.
  if (text.slice(start, firstKey).trim() !== '') return putLines(text, lineEnd(text, pairEnd(first)), put);
  return putLines(text, start, put);
}

function putLines(text: string, at: number, lines: string): string {
  const gap = at > 0 && text[at - 1] !== '\n' ? '\n' : '';
  return cut(text, at, at, `${gap}${lines}\n`);
}

function insertItem(text: string, seq: YAMLSeq, index: number, value: unknown, style: Style): string | null {
  const before = seq.items[index - 1] as Node | undefined;
  const behind = seq.items[index] as Node | undefined;
  if (seq.flow) {
    const put = inline(value, { ...style, flow: true });
    if (before) {
      const lines = text.slice(from(seq), from(seq.items[0] as Node)).includes('\n');
      const gap = lines ? `,\n${' '.repeat(column(text, from(seq.items[0] as Node)))}` : ', ';
      return cut(text, to(before), to(before), gap + put);
    }
    return cut(text, from(seq) + 1, from(seq) + 1, behind ? `${put}, ` : put);
  }
  const near = before ?? behind;
  if (!near) return null;
  const indent = column(text, dashOf(text, near));
  const put = indented(itemLines(value), indent);
  return putLines(text, before ? lineEnd(text, to(before)) : lineStart(text, dashOf(text, near)), put);
}

/** Puts an item into a list, before the one at this position. */
export function insertAt(text: string, path: Path, index: number, value: unknown, guide: Guide = {}): string {
  const { doc, value: whole, problem } = parse(text);
  if (problem) return text;
  const list = valueAt(whole, path);
  if (!Array.isArray(list) || list.length === 0) return setIn(text, path, [value], guide);
  const steps = walk(doc, path);
  const node = nodeAt(doc, path);
  const expected = withValue(whole, path, list.toSpliced(index, 0, plain(value)));
  const next = isSeq(node) ? insertItem(text, node, index, value, styleIn(steps, steps.length)) : null;
  return checked(text, next, expected, (fresh) => {
    fresh.setIn(path, fresh.createNode(list.toSpliced(index, 0, plain(value))));
  });
}

/** Takes something out, and what is empty then, unless it is required. */
export function removeIn(text: string, path: Path, guide: Guide = {}): string {
  const { doc, value: whole, problem } = parse(text);
  if (problem || valueAt(whole, path) === undefined) return text;
  const parent = path.slice(0, -1);
  const siblings = Object.keys((valueAt(whole, parent) as object) ?? {}).length;
  if (siblings === 1 && parent.length > 0) {
    const isItem = typeof parent.at(-1) === 'number';
    if (!isItem && !guide.required?.(parent)) return removeIn(text, parent, guide);
    return setIn(text, parent, Array.isArray(valueAt(whole, parent)) ? [] : {}, guide);
  }
  return checked(text, removed(text, walk(doc, path)), without(whole, path), (fresh) => fresh.deleteIn(path));
}

function removed(text: string, steps: readonly Step[]): string | null {
  const { node, pair } = steps.at(-1) as Step;
  const parent = steps.at(-2)?.node;
  if (!isCollection(parent)) return null;
  const items = parent.items as unknown[];
  const index = items.indexOf(pair ?? node);
  const start = from((pair?.key as Node) ?? node);
  const end = pair ? pairEnd(pair) : to(node);
  if (parent.flow) {
    const next = items[index + 1];
    if (next) return cut(text, start, startOf(next), '');
    const before = items[index - 1];
    return cut(text, before ? endOf(before) : start, end, '');
  }
  const head = pair ? start : dashOf(text, node as Node);
  const line = lineStart(text, head);
  // The first key of an item stands behind its dash: the library writes that anew.
  if (text.slice(line, head).trim() !== '') return null;
  return cut(text, line, lineEnd(text, end), '');
}
