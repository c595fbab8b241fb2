/** A place where the keys of a plot may stand: an experiment's mark. */
export interface Stop {
  number: number;
  x: number;
  y: number;
  /** Position of its series, and of the mark in it. */
  series: number;
  data: number;
}

/** What is read of a chart's option. */
export interface Drawn {
  series?: {
    type?: string;
    name?: string;
    silent?: boolean;
    xAxisIndex?: number;
    data?: readonly unknown[];
  }[];
  xAxis?: { name?: string; data?: readonly unknown[] }[];
  yAxis?: { name?: string }[];
  legend?: { selected?: Record<string, boolean> }[];
}

const MARKS: ReadonlySet<string | undefined> = new Set(['scatter', 'line']);

/** The marks of experiments that a chart shows, from left to right, in one place from below. */
export function stopsOf(option: Drawn): Stop[] {
  const shown = option.legend?.[0]?.selected ?? {};
  const stops = (option.series ?? []).flatMap((series, at) => {
    if (!MARKS.has(series.type) || series.silent || shown[series.name ?? ''] === false) return [];
    const categories = option.xAxis?.[series.xAxisIndex ?? 0]?.data;
    return (series.data ?? []).flatMap((item, data): Stop[] => {
      const { name, value } = (item ?? {}) as { name?: string; value?: unknown };
      const number = Number(name);
      if (!Array.isArray(value) || !Number.isSafeInteger(number) || number < 1) return [];
      const x = typeof value[0] === 'number' ? value[0] : (categories?.indexOf(value[0]) ?? -1);
      return [{ number, x, y: Number(value[1]), series: at, data }];
    });
  });
  return stops.sort((a, b) => a.x - b.x || a.y - b.y || a.number - b.number);
}

/** Where a key goes from a stop; undefined for keys that go nowhere. */
export function stepOf(key: string, from: number, count: number): number | undefined {
  if (count === 0) return undefined;
  const steps: Record<string, number> = {
    // From nowhere both go to an end.
    ArrowRight: from < 0 ? 0 : from + 1,
    ArrowLeft: from < 0 ? count - 1 : from - 1,
    Home: 0,
    End: count - 1,
  };
  const step = steps[key];
  return step === undefined ? undefined : Math.max(0, Math.min(count - 1, step));
}

/** Position of the stop that is the same mark, also after the chart was drawn anew; below 0 where it is gone. */
export function placeOf(stops: readonly Stop[], stop: Stop | null): number {
  if (!stop) return -1;
  const isSame = ({ number, x, y }: Stop) => number === stop.number && x === stop.x && y === stop.y;
  return stops.findIndex(isSame);
}

/** Values of a stop with the names of the axes, as they are read out. */
export function figuresOf(option: Drawn, stop: Stop, tell: (value: number) => string): string[] {
  const series = option.series?.[stop.series];
  const [x, y] = [option.xAxis?.[series?.xAxisIndex ?? 0], option.yAxis?.[0]];
  const category = x?.data?.[stop.x];
  const of = (name: string | undefined, value: string) => (name ? [`${name}: ${value}`] : []);
  // A second pair of axes holds what has no value.
  const hasValue = (series?.xAxisIndex ?? 0) === 0;
  return [
    // Of axes above each other the lowest has the name.
    ...of(
      x?.name || option.xAxis?.find(({ name }) => name)?.name,
      category === undefined ? tell(stop.x) : String(category),
    ),
    ...(hasValue ? of(y?.name, tell(stop.y)) : []),
  ];
}
