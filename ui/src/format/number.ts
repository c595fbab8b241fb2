/** Numbers as people read them. English grouping is not used: a thin space groups thousands and cannot be misread. */

const THIN = '\u202f';
const MINUS = '\u2212';
/** Shown where there is no number. */
export const NONE = '–';

/** `digits` significant digits, thousands grouped, no exponent between 1e-4 and 1e15. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e15) return signed(value.toExponential(Math.max(0, digits - 1)).replace('e+', 'e'));
  // Rounded first: 99.99 has as many places as 100.
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Number(size.toPrecision(digits)))));
  const text = size.toFixed(Math.min(places, 12));
  const [whole = '', part] = text.split('.');
  const shown = part === undefined ? grouped(whole) : `${grouped(whole)}.${part}`;
  return value < 0 ? MINUS + shown : shown;
}

/** A figure of an axis: `digits` significant digits without zeros at the end. */
export function tick(value: number, digits = 6): string {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7))
    return signed(
      value
        .toExponential(2)
        .replace(/\.?0+e/, 'e')
        .replace('e+', 'e'),
    );
  const [whole = '', part] = String(Number(size.toPrecision(digits))).split('.');
  return `${value < 0 ? MINUS : ''}${grouped(whole)}${part === undefined ? '' : `.${part}`}`;
}

/** A whole number. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = grouped(String(Math.abs(Math.round(value))));
  return value < 0 ? MINUS + text : text;
}

function grouped(whole: string): string {
  return whole.length <= 4 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, THIN);
}

function signed(text: string): string {
  return text.replace(/-/g, MINUS);
}

/** A share as percent: 0.034 is `3.4 %`. */
export function percent(share: number | null | undefined, digits = 2): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  return `${number(share * 100, digits)} %`;
}

/** A change with its sign: 0.034 is `+3.4 %`. */
export function change(share: number | null | undefined, digits = 2): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  return share > 0 ? `+${percent(share, digits)}` : percent(share, digits);
}

const PREFIXES: [size: number, sign: string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** With an SI prefix from 10 000 on: `12.3 k`. */
export function si(value: number | null | undefined, unit = '', digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const [size, prefix] = (Math.abs(value) >= 1e4 && PREFIXES.find(([least]) => Math.abs(value) >= least)) || [1, ''];
  const after = `${prefix}${unit}`;
  return after ? `${number(value / size, digits)} ${after}` : number(value, digits);
}

/** A figure with its unit as it is: `44.4 tok/s`. */
export function withUnit(value: number | null | undefined, unit: string, digits = 3): string {
  const text = number(value, digits);
  return text === NONE || !unit ? text : `${text} ${unit}`;
}
