import type { Configuration, FlagValue } from '@/api/types';

/** What a flag is set to, as it would stand in a file; texts that could be read as something else are quoted. */
export function flagValue(value: FlagValue | undefined): string {
  if (value === undefined) return '–';
  if (value === null) return 'unset';
  if (typeof value !== 'string') return String(value);
  const ambiguous = value === '' || /^(true|false|null|unset|-?\d+(\.\d+)?(e-?\d+)?)$/i.test(value);
  return ambiguous ? JSON.stringify(value) : value;
}

/** A configuration in one line: `threads=2 flash-attn=on`; empty for the engine's defaults. */
export function configurationLine(configuration: Configuration): string {
  return Object.entries(configuration)
    .map(([name, value]) => `${name}=${flagValue(value)}`)
    .join(' ');
}
