export type Better = 'smaller' | 'larger';

export interface Traded {
  number: number;
  x: number;
  y: number;
}

/** Those that no other beats in both, from left to right. Equal points are all kept. */
export function front<T extends Traded>(points: readonly T[], better: { x: Better; y: Better }): T[] {
  const sign = { x: better.x === 'smaller' ? 1 : -1, y: better.y === 'smaller' ? 1 : -1 };
  const sorted = points.toSorted((a, b) => sign.x * (a.x - b.x) || sign.y * (a.y - b.y));
  const kept: T[] = [];
  let best = Number.POSITIVE_INFINITY;
  let last: T | undefined;
  for (const point of sorted) {
    const y = sign.y * point.y;
    const isEqual = last !== undefined && last.x === point.x && last.y === point.y;
    if (y < best || isEqual) {
      kept.push(point);
      best = Math.min(best, y);
      last = point;
    }
  }
  return kept.sort((a, b) => a.x - b.x);
}

/** The front as a staircase: what lies between two points was not measured. */
export function staircase(kept: readonly Traded[], better: { x: Better; y: Better }): [number, number][] {
  const line: [number, number][] = [];
  kept.forEach((point, index) => {
    const before = kept[index - 1];
    // The corner lies on the worse side of both.
    if (before) line.push(better.x === 'smaller' ? [point.x, before.y] : [before.x, point.y]);
    line.push([point.x, point.y]);
  });
  return line;
}
