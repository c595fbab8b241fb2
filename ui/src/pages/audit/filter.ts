import type { Schemas } from '@/api/types';
import type { OutcomeClass, Search } from './search';

export type Entry = Schemas['AuditItem'];

/** Codes of errors are many; people look for a few kinds of end. */
export function outcomeClass(outcome: string): OutcomeClass {
  return outcome === 'done' || outcome === 'refused' || outcome === 'begun' || outcome === 'failed' ? outcome : 'other';
}

export function matches(entry: Entry, { q, action, outcome }: Search): boolean {
  if (action && entry.action !== action) return false;
  if (outcome && !outcome.includes(outcomeClass(entry.outcome))) return false;
  const text = [entry.actor, entry.action, entry.target, entry.peer, entry.outcome, entry.request_id, entry.token ?? '']
    .join(' ')
    .toLowerCase();
  return (q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Actions that occur, with how often. */
export function actionsOf(entries: readonly Entry[]): [action: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { action } of entries) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}
