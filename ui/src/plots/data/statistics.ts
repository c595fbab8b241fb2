/** Few statistics, where the server gives none. */

/** Share with its Wilson interval: right also for few and for none. */
export function wilson(k: number, n: number, z = 1.96): { share: number; low: number; high: number } {
  if (n === 0) return { share: 0, low: 0, high: 1 };
  const share = k / n;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** Two-sided 95 % quantiles of Student's t. */
const T95 = [
  12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

export interface MeanOf {
  n: number;
  mean: number;
  /** 95 % interval of the mean; absent with one value. */
  low?: number;
  high?: number;
}

export function meanOf(values: readonly number[]): MeanOf | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = (T95[n - 2] ?? 1.96) * Math.sqrt(variance / n);
  return { n, mean, low: mean - half, high: mean + half };
}

/** Numbers that look random and are the same each time. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Share of the variance of `y` that groups explain (epsilon squared: the correlation ratio less what chance gives), 0 to 1.
 * `rows` are positions into both.
 */
export function explained(groups: Int32Array, y: Float64Array, rows: Int32Array, groupCount: number): number {
  const sums = new Float64Array(groupCount);
  const counts = new Int32Array(groupCount);
  let total = 0;
  for (const row of rows) total += y[row] as number;
  const mean = total / rows.length;
  let whole = 0;
  for (const row of rows) {
    const group = groups[row] as number;
    const off = (y[row] as number) - mean;
    sums[group] = (sums[group] as number) + off;
    counts[group] = (counts[group] as number) + 1;
    whole += off * off;
  }
  if (whole <= 0) return 0;
  let between = 0;
  let used = 0;
  for (let group = 0; group < groupCount; group++) {
    const n = counts[group] as number;
    if (n === 0) continue;
    used += 1;
    between += (sums[group] as number) ** 2 / n;
  }
  if (used < 2 || rows.length <= used) return 0;
  const within = (whole - between) / (rows.length - used);
  return Math.min(1, Math.max(0, (between - (used - 1) * within) / whole));
}

const HALVES = 60;

/**
 * The same with a 90 % interval from random halves: a half without replacement varies about the whole as the whole varies
 * about the truth, and repeats no row as a bootstrap does.
 */
export function stability(groups: Int32Array, y: Float64Array, groupCount: number, seed: number) {
  const n = y.length;
  const all = Int32Array.from({ length: n }, (_, row) => row);
  const value = explained(groups, y, all, groupCount);
  const random = randomOf(seed);
  const half = n >> 1;
  const found: number[] = [];
  const order = all.slice();
  for (let round = 0; round < HALVES; round++) {
    for (let at = 0; at < half; at++) {
      const other = at + Math.floor(random() * (n - at));
      const kept = order[at] as number;
      order[at] = order[other] as number;
      order[other] = kept;
    }
    found.push(explained(groups, y, order.subarray(0, half), groupCount));
  }
  found.sort((a, b) => a - b);
  const at = (share: number) => found[Math.round(share * (found.length - 1))] as number;
  return { value, low: Math.min(value, at(0.05)), high: Math.max(value, at(0.95)) };
}
