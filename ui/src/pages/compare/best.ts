/** A figure that is compared with others of its row. */
export interface Rated {
  value: number | null | undefined;
  low?: number;
  high?: number;
}

export interface Best {
  /** Positions of the best; several where they are equal. */
  at: readonly number[];
  /** Whether its interval lies apart from those of all others; undefined where intervals are not known. */
  isClear: boolean | undefined;
}

/** Which figure of a row is best. None where fewer than two are known, or all are the same. */
export function bestOf(row: readonly Rated[], smallerIsBetter: boolean): Best | undefined {
  const known = row.flatMap(({ value, low, high }, at) =>
    value === null || value === undefined || !Number.isFinite(value) ? [] : [{ at, value, low, high }],
  );
  if (known.length < 2 || new Set(known.map(({ value }) => value)).size === 1) return undefined;
  const turn = smallerIsBetter ? 1 : -1;
  const [first, ...others] = [...known].sort((a, b) => turn * (a.value - b.value));
  if (!first) return undefined;
  const at = known.flatMap((one) => (one.value === first.value ? [one.at] : []));
  const hasAll = known.every(({ low, high }) => low !== undefined && high !== undefined);
  if (!hasAll) return { at, isClear: undefined };
  const isClear = others.every((other) =>
    other.value === first.value
      ? true
      : smallerIsBetter
        ? (first.high ?? 0) < (other.low ?? 0)
        : (first.low ?? 0) > (other.high ?? 0),
  );
  return { at, isClear };
}
