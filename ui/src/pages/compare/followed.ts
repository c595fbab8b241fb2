import type { ExperimentDetail } from '@/api/types';

/** A browser keeps six connections to a server, and the page needs some for all else. */
const MOST_FOLLOWED = 3;

/** Which of several logs are followed while they grow: the newest that run. Those that ended need no connection. */
export function followed(shown: readonly ExperimentDetail[]): ReadonlySet<number> {
  const open = shown.filter(({ experiment }) => experiment.attempts.at(-1)?.ended_at === undefined);
  const numbers = open.map(({ experiment }) => experiment.number).sort((a, b) => b - a);
  const ended = shown.filter((detail) => !open.includes(detail)).map(({ experiment }) => experiment.number);
  return new Set([...ended, ...numbers.slice(0, MOST_FOLLOWED)]);
}
