interface SparklineProps {
  /** Oldest first; gaps where nothing is known. */
  values: readonly (number | null)[];
  /** What it shows, for those who do not see it. */
  label: string;
  /** Largest value of the scale. */
  max: number;
  /** As many points as the width has places. */
  places: number;
}

const [WIDTH, HEIGHT] = [120, 24];

/** Runs of values that are known, each as points of a line. */
export function segments(values: readonly (number | null)[], max: number, places: number): string[] {
  const from = places - values.length;
  const found: string[][] = [];
  let open: string[] | null = null;
  values.forEach((value, index) => {
    if (value === null) {
      open = null;
      return;
    }
    if (open === null) {
      open = [];
      found.push(open);
    }
    const x = ((from + index) / Math.max(1, places - 1)) * WIDTH;
    const y = HEIGHT - 1 - (Math.max(0, Math.min(max, value)) / max) * (HEIGHT - 2);
    open.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  });
  return found.map((points) => points.join(' '));
}

/** A curve as small as a word; the newest value is at the right. */
export function Sparkline({ values, label, max, places }: SparklineProps) {
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="h-6 w-full rounded-sm bg-sunken"
    >
      {segments(values, max, places).map((points) => (
        <polyline
          key={points}
          points={points}
          fill="none"
          stroke="var(--s1)"
          strokeWidth={1.5}
          strokeLinecap="round"
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </svg>
  );
}
