/** Offsets of nodes in a text, and cuts that are read back. */
import { isCollection, isMap, isScalar, type Node, type YAMLMap } from 'yaml';
import { isRecord, same } from './path';
import { parse, read, type Step } from './read';
import type { Style } from './write';

export const PRINT = { lineWidth: 0, flowCollectionPadding: false } as const;

export const lineStart = (text: string, at: number) => text.lastIndexOf('\n', at - 1) + 1;
/** After the line that `at` is in. */
export const lineEnd = (text: string, at: number) => {
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
};
export const column = (text: string, at: number) => at - lineStart(text, at);
export const cut = (text: string, from: number, to: number, put: string) => text.slice(0, from) + put + text.slice(to);
export const indented = (lines: string[], indent: number) =>
  lines.map((line) => (line ? ' '.repeat(indent) + line : line)).join('\n');
export const from = (node: Node | null | undefined) => node?.range?.[0] ?? 0;
export const to = (node: Node | null | undefined) => node?.range?.[1] ?? 0;

export function styleIn(steps: readonly Step[], upTo: number): Style {
  const flow = steps.slice(0, upTo).some(({ node }) => isCollection(node) && node.flow === true);
  const map = steps.slice(0, upTo).findLast(({ node }) => isMap(node) && node.flow && node.items.length > 0);
  const key = (map?.node as YAMLMap | undefined)?.items[0]?.key;
  return { flow, json: isScalar(key) && key.type === 'QUOTE_DOUBLE' };
}

export function checked(
  text: string,
  next: string | null,
  expected: unknown,
  otherwise: (fresh: ReturnType<typeof read>) => void,
): string {
  if (next !== null) {
    const got = parse(next);
    if (!got.problem && same(got.value, expected)) return next;
  }
  const fresh = read(text);
  otherwise(fresh);
  return fresh.toString(PRINT);
}

export function pairEnd(pair: { key: unknown; value: unknown }): number {
  const value = pair.value as Node | null;
  return value?.range ? Math.max(to(value), to(pair.key as Node)) : to(pair.key as Node);
}

export function dashOf(text: string, item: Node): number {
  return text.lastIndexOf('-', from(item) - 1);
}

export const startOf = (item: unknown) => from(((item as { key?: Node }).key ?? item) as Node);
export const endOf = (item: unknown) =>
  isRecord(item) && 'key' in item ? pairEnd(item as { key: unknown; value: unknown }) : to(item as Node);
