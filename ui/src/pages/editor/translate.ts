import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Path } from '@/document/path';
import { read } from '@/document/read';
import { Typed, writeDocument } from '@/document/write';

/** Where `1.0` and `1` are not the same: values of flags. */
function keepsDigits(path: Path): boolean {
  const [first, second] = path;
  return (
    first === 'search_space' ||
    first === 'baseline' ||
    first === 'parameters' ||
    (first === 'engine' && second === 'fixed')
  );
}

function plainOf(node: Node | null, path: Path): unknown {
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.map(({ key, value }) => {
        const name = String(isScalar(key) ? key.value : key);
        return [name, plainOf(value as Node | null, [...path, name])];
      }),
    );
  }
  if (isSeq(node)) return node.items.map((item, index) => plainOf(item as Node, [...path, index]));
  if (!isScalar(node)) return null;
  if (typeof node.value === 'number' && keepsDigits(path))
    return new Typed(String(node.source ?? node.value), node.value);
  return node.value;
}

/** A field of an answer's JSON as a document of ours. The answer is read as text, so that `1.0` stays a real number. */
export function documentOf(raw: string, field?: string, leaveOut: readonly string[] = []): string {
  const root = read(raw);
  const node = (field ? root.get(field, true) : root.contents) as Node | null;
  const value = plainOf(node, []) as Record<string, unknown>;
  return writeDocument(Object.fromEntries(Object.entries(value).filter(([key]) => !leaveOut.includes(key))));
}
