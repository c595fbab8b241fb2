import { isRecord } from '@/document/path';

/** Kinds of arrival that a person chooses from; each has its own fields. */
export const LEVEL_KINDS = ['closed', 'poisson', 'constant', 'gamma', 'ramp', 'burst', 'users', 'trace'] as const;
export type LevelKind = (typeof LEVEL_KINDS)[number];

export function levelKind(level: unknown): LevelKind {
  if (!isRecord(level)) return 'closed';
  if (level.arrival === 'trace') return 'trace';
  if (level.users !== undefined) return 'users';
  if (level.burst !== undefined || level.every_s !== undefined) return 'burst';
  if (level.ramp_to !== undefined) return 'ramp';
  if (level.arrival === 'constant' || level.arrival === 'gamma') return level.arrival;
  return level.rate !== undefined || level.arrival === 'poisson' ? 'poisson' : 'closed';
}

/** Fields of each kind; the first ones are what it cannot be without. */
export const LEVEL_FIELDS: Record<LevelKind, string[]> = {
  closed: ['concurrency', 'think_s'],
  poisson: ['rate', 'concurrency'],
  constant: ['rate', 'concurrency'],
  gamma: ['rate', 'burstiness', 'concurrency'],
  ramp: ['rate', 'ramp_to', 'ramp', 'concurrency'],
  burst: ['burst', 'every_s', 'concurrency'],
  users: ['users', 'rate'],
  trace: ['time_scale', 'keep', 'concurrency'],
};

/** The same level as another kind: what both have stays. */
export function levelAs(level: unknown, kind: LevelKind): Record<string, unknown> {
  const old = isRecord(level) ? level : {};
  const rate = typeof old.rate === 'number' ? old.rate : 1;
  const concurrency = typeof old.concurrency === 'number' ? old.concurrency : 8;
  switch (kind) {
    case 'closed':
      return { concurrency };
    case 'poisson':
      return { rate };
    case 'constant':
      return { rate, arrival: 'constant' };
    case 'gamma':
      return { rate, arrival: 'gamma', burstiness: 0.5 };
    case 'ramp':
      return { rate, ramp_to: rate * 10 };
    case 'burst':
      return { burst: 50, every_s: 10 };
    case 'users':
      return { users: concurrency, rate };
    case 'trace':
      return { arrival: 'trace' };
  }
}

/** Numbers as people write a sweep: `1, 2, 4` or `1..64` (doubling). */
export function sweepOf(text: string): number[] {
  const doubling = /^\s*(\d+(?:\.\d+)?)\s*(?:\.\.|…|-)\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  if (doubling) {
    const [from, to] = [Number(doubling[1]), Number(doubling[2])];
    const found: number[] = [];
    for (let at = from; at > 0 && at <= to && found.length < 100; at *= 2) found.push(at);
    return found;
  }
  const numbers = text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
  return numbers.every((n) => Number.isFinite(n) && n > 0) ? numbers.slice(0, 100) : [];
}
