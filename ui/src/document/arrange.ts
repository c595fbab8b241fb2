/** Other names and other places for what stands in a document. */
import { isCollection, isMap, isSeq, type Node, type YAMLSeq } from 'yaml';
import { checked, cut, dashOf, endOf, from, lineEnd, lineStart, PRINT, startOf, styleIn, to } from './cut';
import { isRecord, type Path, same, valueAt, withValue } from './path';
import { nodeAt, parse, read, type Step, walk } from './read';
import { keyText } from './write';

/** Gives a key another name; its place stays. */
export function renameKey(text: string, path: Path, name: string): string {
  const { doc, value: whole, problem } = parse(text);
  const parent = path.slice(0, -1);
  const map = valueAt(whole, parent);
  if (problem || !isRecord(map) || Object.hasOwn(map, name)) return text;
  const steps = walk(doc, path);
  const key = steps.at(-1)?.pair?.key as Node | undefined;
  if (!key || steps.length !== path.length + 1) return text;
  const old = String(path.at(-1));
  const renamed = Object.fromEntries(Object.entries(map).map(([one, value]) => [one === old ? name : one, value]));
  const next = cut(text, from(key), to(key), keyText(name, styleIn(steps, steps.length - 1)));
  return checked(text, next, withValue(whole, parent, renamed), (fresh) => fresh.setIn(parent, renamed));
}

/** Swaps an entry of a map or list with the one before (`-1`) or after it (`1`). */
export function move(text: string, path: Path, by: -1 | 1): string {
  const { doc, problem } = parse(text);
  const parent = nodeAt(doc, path.slice(0, -1));
  if (problem || !isCollection(parent)) return text;
  const { node, pair } = walk(doc, path).at(-1) as Step;
  const items = parent.items as unknown[];
  const index = items.indexOf(pair ?? node);
  const [first, second] = by < 0 ? [index - 1, index] : [index, index + 1];
  if (first < 0 || second >= items.length) return text;
  if (!parent.flow) {
    const begin = (at: number) => {
      const item = items[at];
      const head = isMap(parent) ? startOf(item) : dashOf(text, item as Node);
      return at === 0 ? lineStart(text, head) : lineEnd(text, endOf(items[at - 1]));
    };
    const [a, b, c] = [begin(first), begin(second), lineEnd(text, endOf(items[second]))];
    const tail = text.slice(b, c);
    const next = text.slice(0, a) + (tail.endsWith('\n') ? tail : `${tail}\n`) + text.slice(a, b) + text.slice(c);
    const got = parse(next);
    if (!got.problem && same(got.value, expectedMove(parse(text).value, path, isSeq(parent), first))) return next;
  } else {
    const [a, b] = [items[first], items[second]];
    const [one, two] = [text.slice(startOf(a), endOf(a)), text.slice(startOf(b), endOf(b))];
    const next = text.slice(0, startOf(a)) + two + text.slice(endOf(a), startOf(b)) + one + text.slice(endOf(b));
    if (!parse(next).problem) return next;
  }
  const fresh = read(text);
  const list = (nodeAt(fresh, path.slice(0, -1)) as YAMLSeq).items;
  [list[first], list[second]] = [list[second], list[first]];
  return fresh.toString(PRINT);
}

function expectedMove(whole: unknown, path: Path, isList: boolean, first: number): unknown {
  if (!isList) return whole;
  const parent = path.slice(0, -1);
  const list = [...(valueAt(whole, parent) as unknown[])];
  list.splice(first, 2, list[first + 1], list[first]);
  return withValue(whole, parent, list);
}
