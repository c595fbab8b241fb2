import { isScalar } from 'yaml';
import { read } from './read';
import { Typed } from './write';

/** What a flag may be set to. */
export type FlagValue = string | number | boolean | null;
export type Kind = 'number' | 'text' | 'switch' | 'absent';

export function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'absent';
  if (typeof value === 'boolean') return 'switch';
  return typeof value === 'number' || value instanceof Typed ? 'number' : 'text';
}

const NUMBER = /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/;

/** A number with the digits that were typed; nothing if it is none. */
export function typedNumber(text: string): Typed | undefined {
  const plain = text.trim();
  if (!NUMBER.test(plain)) return undefined;
  // `5.` and `.5` are numbers to people and texts to some readers of YAML.
  const whole = plain
    .replace(/^([-+]?)\./, '$10.')
    .replace(/\.(?=$|[eE])/, '.0')
    .replace(/^\+/, '');
  return new Typed(whole, Number(whole));
}

/**
 * What a person typed as a value: `4` is a number, `true` a switch, `null` leaves the flag out, `"4"` in quotes and
 * everything else is text: `4bit`, `{"a": 1}`, `a,b`.
 */
export function typedValue(text: string): FlagValue | Typed {
  const plain = text.trim();
  if (plain === 'true' || plain === 'false') return plain === 'true';
  if (plain === 'null' || plain === '~') return null;
  if (/^(".*"|'.*')$/s.test(plain)) {
    const node = read(plain).contents;
    if (isScalar(node) && typeof node.value === 'string') return node.value;
  }
  return typedNumber(plain) ?? plain;
}

/** Several at once where that is plain: numbers between commas, or one value a line. */
export function typedValues(text: string): (FlagValue | Typed)[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.flatMap((line) => {
    const parts = line.split(',').map((part) => part.trim());
    const plain = (part: string) => typedNumber(part) !== undefined || ['true', 'false', 'null'].includes(part);
    return parts.length > 1 && parts.every(plain) ? parts.map(typedValue) : [typedValue(line)];
  });
}

/** A value as a person would type it, so that typing it again gives the same. */
export function shownValue(value: unknown, source?: string): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return source ?? String(value);
  if (typeof value !== 'string') return String(value);
  const again = typedValue(value);
  return again === value ? value : JSON.stringify(value);
}
