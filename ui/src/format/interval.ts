import type { RatioInterval } from '@/api/types';
import { change, number } from './number';

/** An interval in one unit: `2.8 to 3.5 tok/s`. */
export function interval(low: number, high: number, unit = '', digits = 3): string {
  const text = `${number(low, digits)} to ${number(high, digits)}`;
  return unit ? `${text} ${unit}` : text;
}

/** A factor's interval as changes: ×1.028 to ×1.035 is `+2.8 % to +3.5 %`. */
export function changeInterval(ratio: RatioInterval, digits = 2): string {
  return `${change(ratio.low - 1, digits)} to ${change(ratio.high - 1, digits)}`;
}

/** A factor's estimate as a change: ×1.031 is `+3.1 %`. */
export function changeEstimate(ratio: RatioInterval, digits = 2): string {
  return change(ratio.estimate - 1, digits);
}
