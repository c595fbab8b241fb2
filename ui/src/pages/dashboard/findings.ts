import type { Schemas } from '@/api/types';

type Check = Schemas['CheckBody'];

const RANK: Record<string, number> = { failed: 0, warning: 1 };

/**
 * Checks of the service and of the machine as one list: what is ill first, the same thing once. An engine that is not
 * installed is no illness where another one is used, so those are told apart.
 */
export function findingsOf(checks: readonly Check[]): { ill: Check[]; good: number; missing: string[] } {
  const seen = new Set<string>();
  const once = checks.filter((check) => {
    const key = check.name === 'engine' ? `engine ${check.detail}` : check.name;
    return !seen.has(key) && seen.add(key);
  });
  const isMissing = (check: Check) =>
    check.name === 'engine' && check.status === 'warning' && check.detail.endsWith(' is not installed');
  const missing = once.filter(isMissing).map((check) => check.detail.replace(/ is not installed$/, ''));
  const ill = once
    .filter((check) => check.status !== 'good' && !isMissing(check))
    .sort((a, b) => (RANK[a.status] ?? 2) - (RANK[b.status] ?? 2));
  return { ill, good: once.filter((check) => check.status === 'good').length, missing };
}
