import { NONE, number } from './number';

/** How long: `0.42 s`, `12.3 s`, `4 min 07 s`, `3 h 05 min`, `2 d 4 h`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  if (Math.abs(seconds) < 0.9995) return seconds === 0 ? '0 s' : `${number(seconds * 1000, 3)} ms`;
  if (seconds < 59.95) return `${number(seconds, 3)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Seconds from one moment to another, or to now. */
export function secondsBetween(from: string, to: string | null | undefined, now = Date.now()): number {
  return ((to ? Date.parse(to) : now) - Date.parse(from)) / 1000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let found = formats.get(name);
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', options);
    formats.set(name, found);
  }
  return found;
}

/** Date and time in the browser's zone: `28 Nov 2026, 14:03:11`. `zone` is for tests. */
export function dateTime(at: string | number, zone?: string): string {
  return format(`dateTime ${zone}`, { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone }).format(new Date(at));
}

/** Time of day in the browser's zone. */
export function timeOfDay(at: string | number, zone?: string): string {
  return format(`time ${zone}`, { timeStyle: 'medium', timeZone: zone }).format(new Date(at));
}

/** The same moment in UTC: `2026-11-28 13:03:11 UTC`. */
export function utc(at: string | number): string {
  const text = new Date(at).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

const STEPS: [least: number, unit: Intl.RelativeTimeFormatUnit, size: number][] = [
  [86_400 * 365, 'year', 86_400 * 365],
  [86_400 * 30, 'month', 86_400 * 30],
  [86_400, 'day', 86_400],
  [3600, 'hour', 3600],
  [60, 'minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' });

/** `just now`, `3 min. ago`, `in 2 hr.`; `nowWord` is what is said within half a minute. */
export function ago(at: string | number, now: number, nowWord: string): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 30) return nowWord;
  const [, unit, of] = STEPS.find(([least]) => size >= least) ?? [0, 'second' as const, 1];
  return relative.format(Math.trunc(seconds / of), unit);
}
