import type { Configuration } from '@/api/types';

interface Wanted {
  /** The document of the task. */
  source: string;
  name: string;
  /** What the experiment set. */
  configuration: Configuration;
  /** Flags of the old baseline that no experiment varies stay. */
  varied: ReadonlySet<string>;
  /** Search no further: measure this configuration only. */
  isOnlyThis?: boolean;
}

/** A name that is valid and not longer than tasks' names may be. */
export function derivedName(task: string, ending: string): string {
  return `${task.slice(0, Math.max(1, 64 - ending.length))}${ending}`;
}

/**
 * The document of a new task that has an experiment's configuration as its baseline; comments and order of the old one stay.
 * JSON is YAML too, so both kinds of documents are read.
 */
export async function withBaseline(wanted: Wanted): Promise<string> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(wanted.source);
  if (document.errors.length > 0) throw new Error(document.errors[0]?.message);
  const before = (document.toJS() as { baseline?: Configuration } | null)?.baseline ?? {};
  const kept = Object.entries(before).filter(([name]) => !wanted.varied.has(name));
  document.set('name', wanted.name);
  document.set('baseline', document.createNode({ ...Object.fromEntries(kept), ...wanted.configuration }));
  if (wanted.isOnlyThis) document.setIn(['budget', 'experiments'], 1);
  return document.toString({ lineWidth: 0 });
}
