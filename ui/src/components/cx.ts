import { twMerge } from 'tailwind-merge';

/** Joins class names; leaves out what is false, and of two that set the same thing the earlier. */
export function cx(...names: (string | false | null | undefined)[]): string {
  return twMerge(names);
}
