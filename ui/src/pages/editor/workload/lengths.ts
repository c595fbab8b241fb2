import type { LengthSpread } from '@/api/datasets';
import type { Part, Scenario } from './scenario';

/** Shares of requests by length: each bar reaches from the end of the one before to `to`. */
export interface Bar {
  from: number;
  to: number;
  share: number;
}

export interface Lengths {
  bars: Bar[];
  mean: number;
  /** Half of the requests are at most so long; 99 of 100. */
  p50: number;
  p99: number;
}

type Side = 'input' | 'output';

/** Abramowitz and Stegun 7.1.26; its error is below 2e-7. */
function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = poly * Math.exp(-x * x);
  return z >= 0 ? 1 - tail / 2 : tail / 2;
}

/** The share of a part's requests that have at most `n` tokens. What is drawn is cut at 1 token in and 2 out. */
function cdfOf({ kind, numbers }: Part, side: Side): ((n: number) => number) | null {
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  const [first, second] = side === 'input' ? [a, b] : [c, d];
  const step = (at: number) => (n: number) => (n >= at ? 1 : 0);
  const least = side === 'input' ? 1 : 2;
  const cut = (cdf: (n: number) => number) => (n: number) => (n < least ? 0 : cdf(n));
  if (kind === 'D') return step(side === 'input' ? a : b);
  if (kind === 'E') return side === 'input' ? step(a) : null;
  if (kind === 'R') return side === 'input' ? step(a + b) : null;
  if (kind === 'I') return null;
  if (kind === 'U') return (n) => Math.max(0, Math.min(1, (Math.floor(n) - first + 1) / (second - first + 1)));
  // Normal lengths are cut off to whole numbers, lognormal ones rounded.
  if (kind === 'N')
    return second === 0 ? step(Math.max(least, first)) : cut((n) => normalCdf((Math.floor(n) + 1 - first) / second));
  if (second === 0) return step(Math.max(least, Math.round(Math.exp(first))));
  return cut((n) => normalCdf((Math.log(Math.floor(n) + 0.5) - first) / second));
}

/** The lengths that requests of these parts have; null where they have none (pictures, embeddings have no answer). */
export function lengthsOf(scenario: Scenario, side: Side, bins = 32): Lengths | null {
  const parts = scenario.parts.flatMap((part) => {
    const cdf = cdfOf(part, side);
    return cdf ? [{ weight: part.weight, cdf }] : [];
  });
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return null;
  const cdf = (n: number) => parts.reduce((sum, part) => sum + (part.weight / total) * part.cdf(n), 0);
  const quantile = (share: number) => {
    let [low, high] = [0, 1];
    while (cdf(high) < share && high < 2 ** 24) high *= 2;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (cdf(middle) >= share) high = middle;
      else low = middle;
    }
    return high;
  };
  const most = quantile(0.999);
  const least = Math.max(0, quantile(0.001) - 1);
  const spread = most - least;
  const size = Math.max(1, Math.ceil(spread / bins));
  const bars: Bar[] = [];
  for (let from = least; from < most; from += size) {
    bars.push({ from: from + 1, to: from + size, share: cdf(from + size) - cdf(from) });
  }
  const mean =
    bars.reduce((sum, bar) => sum + bar.share * ((bar.from + bar.to) / 2), 0) /
    bars.reduce((sum, bar) => sum + bar.share, 0);
  return { bars, mean, p50: quantile(0.5), p99: quantile(0.99) };
}

/** What the server found in a data set. */
export function lengthsFound(
  spread: Pick<LengthSpread, 'known' | 'mean' | 'min' | 'p50' | 'p99' | 'histogram'>,
): Lengths {
  let before = spread.min - 1;
  const bars = spread.histogram.map(([to, count]) => {
    const bar = { from: before + 1, to, share: spread.known > 0 ? count / spread.known : 0 };
    before = to;
    return bar;
  });
  return { bars, mean: spread.mean, p50: spread.p50, p99: spread.p99 };
}
