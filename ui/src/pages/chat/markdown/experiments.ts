import type { Nodes, Parent, PhrasingContent, Root, RootContent, Text } from 'mdast';

/** Tasks that may be named: their names and ids. */
export interface KnownTasks {
  /** Name or id in lower case to id. */
  ids: ReadonlyMap<string, string>;
  /** The task that numbers alone mean, where there is but one. */
  only?: string;
}

const NAMED =
  /\b(experiments?|trial)\s+#?(\d{1,6})\s+(?:of|in)\s+(?:the\s+)?(?:task\s+)?["“'‘`]?([\w][\w.-]*[\w]|\w)["”'’`]?/i;
const ALONE = /\bexperiment\s+#?(\d{1,6})\b/i;

/** Where numbers in a text name an experiment: `experiment 12 of chat`. Tasks that nobody knows are no links. */
export function experimentLinks(text: string, known: KnownTasks): { from: number; to: number; href: string }[] {
  const found: { from: number; to: number; href: string }[] = [];
  const scan = new RegExp(`${NAMED.source}|${ALONE.source}`, 'gi');
  for (const match of text.matchAll(scan)) {
    const [all, , number, name, alone] = match;
    const task = name === undefined ? known.only : (known.ids.get(name.toLowerCase()) ?? undefined);
    const n = number ?? alone;
    if (task === undefined || n === undefined) continue;
    // A quotation mark after the name is not of the link.
    const to = match.index + all.replace(/["”'’`]$/, (mark) => (/["“'‘`]/.test(all.slice(0, -1)) ? mark : '')).length;
    found.push({ from: match.index, to, href: `/tasks/${task}/experiments/${n}` });
  }
  return found;
}

/** A remark plugin that makes them links; code and links stay as they are. */
export function linkExperiments(known: KnownTasks) {
  return () => (tree: Root) => visit(tree, known);
}

function visit(node: Nodes, known: KnownTasks) {
  if (!('children' in node) || node.type === 'link' || node.type === 'linkReference') return;
  const parent = node as Parent;
  parent.children = parent.children.flatMap((child): RootContent[] => {
    if (child.type === 'text') return cut(child, known);
    visit(child, known);
    return [child];
  });
}

function cut(node: Text, known: KnownTasks): PhrasingContent[] {
  const parts: PhrasingContent[] = [];
  let at = 0;
  for (const { from, to, href } of experimentLinks(node.value, known)) {
    if (from > at) parts.push({ type: 'text', value: node.value.slice(at, from) });
    parts.push({ type: 'link', url: href, children: [{ type: 'text', value: node.value.slice(from, to) }] });
    at = to;
  }
  if (at === 0) return [node];
  if (at < node.value.length) parts.push({ type: 'text', value: node.value.slice(at) });
  return parts;
}
