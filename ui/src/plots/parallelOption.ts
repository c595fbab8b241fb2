import type { EChartsCoreOption } from 'echarts/core';
import type { FlagValue } from '@/api/types';
import { flagValue, number } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { isBetter, type PlotTask, type Point } from './data/points';
import { stateWord } from './marks';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { pointTooltip } from './tip';

/** An axis of the plot: a parameter, or the objective at the end. */
export interface Dimension {
  name: string;
  kind: 'number' | 'category';
  log: boolean;
  /** Values in order, for categories; `not set` comes first where some have none. */
  categories: string[];
  /** Where numbers that are not set stand, below all others. */
  unset?: number;
  of: (point: Point) => number | string;
  /** Place of a value of the parameter; null where the axis has none. */
  at?: (value: FlagValue | undefined) => number | string | null;
}

const valueWord = (value: FlagValue | undefined) => (value === undefined ? words.parallel.notSet : flagValue(value));
const collator = new Intl.Collator('en', { numeric: true });

function numberDimension(name: string, values: number[], some: boolean, log: boolean, at: (p: Point) => number | null) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isLog = log && low > 0;
  const unset = some ? (isLog ? low / (high / low) ** 0.1 : low - (high - low || 1) * 0.1) : undefined;
  const of = (point: Point) => at(point) ?? unset ?? low;
  return { name, kind: 'number' as const, log: isLog, categories: [], unset, of };
}

/**
 * Axis of a parameter: numbers where all values are numbers and there are many, else categories in order. `also` are values
 * that nobody tried and that have a place as well.
 */
export function dimensionOf(
  name: string,
  points: readonly Point[],
  log = false,
  also: readonly FlagValue[] = [],
): Dimension {
  const tried = points.map((point) => point.configuration[name]);
  const isPartly = tried.includes(undefined);
  const set = tried.filter((value) => value !== undefined);
  const isNumeric = set.length > 0 && set.every((value) => typeof value === 'number');
  const numbers = [...set, ...also].filter((value) => typeof value === 'number');
  const isOther = also.some((value) => value !== null && typeof value !== 'number');
  if (isNumeric && !isOther && new Set(numbers).size > 8) {
    const of = (point: Point) => (point.configuration[name] as number | undefined) ?? null;
    const dimension = numberDimension(name, numbers, isPartly, log, of);
    const at = (value: FlagValue | undefined) => (typeof value === 'number' ? value : (dimension.unset ?? null));
    return { ...dimension, at };
  }
  const sorted = [...new Set([...set, ...also].map(valueWord))].sort(collator.compare);
  const categories = isPartly ? [words.parallel.notSet, ...sorted] : sorted;
  const of = (point: Point) => valueWord(point.configuration[name]);
  return { name, kind: 'category', log: false, categories, of, at: valueWord };
}

/** Whether a value of an axis is the place of what is not set; axes give it back rounded. */
export function isUnset({ unset }: Pick<Dimension, 'unset'>, value: number): boolean {
  return unset !== undefined && value <= unset + Math.abs(unset) * 1e-4;
}

export function objectiveDimension(task: PlotTask, points: readonly Point[]): Dimension {
  const { label, unit } = task.objective;
  const name = unit ? `${label} (${unit})` : label;
  const values = points.map((point) => point.objective).filter((value) => value !== null);
  if (values.length === 0) return { name, kind: 'category', log: false, categories: [], of: () => '' };
  const of = (point: Point) => point.objective;
  return numberDimension(name, values, values.length < points.length, false, of);
}

export interface ParallelLook {
  /** Share of the best that is drawn, 0 to 1. */
  top: number;
  failures: boolean;
}

/** Which experiments are drawn: those with a result, of them the best share; failures if they are wanted. */
export function linesOf(task: PlotTask, look: ParallelLook): Point[] {
  const search = task.points.filter((point) => point.role !== 'verify' && point.state !== 'open');
  const valued = search.filter((point) => point.objective !== null);
  const inOrder = valued.toSorted((a, b) => {
    const [x, y] = [a.objective ?? 0, b.objective ?? 0];
    return x === y ? 0 : isBetter(task.objective, x, y) ? -1 : 1;
  });
  const kept = look.top >= 1 ? inOrder : inOrder.slice(0, Math.max(1, Math.ceil(inOrder.length * look.top)));
  const rest = look.failures ? search.filter((point) => point.objective === null) : [];
  return [...rest, ...kept.reverse()];
}

/** Colours from worse to better, dark to light or the other way by theme: seen without telling hues apart. */
export function ramp(theme: PlotTheme): string[] {
  return [theme.series[6] ?? theme.muted, theme.series[0] ?? theme.accent, theme.series[2] ?? theme.ok];
}

export function parallelOption(
  task: PlotTask,
  points: readonly Point[],
  dimensions: readonly Dimension[],
  selected: ReadonlySet<number>,
  theme: PlotTheme,
): EChartsCoreOption {
  const values = points.map((point) => point.objective).filter((value) => value !== null);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const isDown = task.objective.goal === 'minimize';
  const colours = isDown ? ramp(theme).reverse() : ramp(theme);
  const last = dimensions.length - 1;
  return {
    grid: undefined,
    tooltip: pointTooltip(task),
    parallel: {
      left: 48,
      right: 110,
      top: 54,
      bottom: 24,
      parallelAxisDefault: {
        nameLocation: 'end',
        nameTextStyle: { color: theme.ink, fontSize: 11 },
        nameTruncate: { maxWidth: dimensions.length > 8 ? 100 : 150 },
        axisLine: { lineStyle: { color: theme.edge } },
        axisTick: { lineStyle: { color: theme.edge } },
        axisLabel: { color: theme.ink, fontSize: 10, textBorderColor: theme.surface, textBorderWidth: 3 },
        areaSelectStyle: { width: 16, color: theme.accent, borderColor: theme.accent, opacity: 0.25 },
      },
    },
    parallelAxis: dimensions.map((dimension, dim) => ({
      dim,
      name: dimension.name,
      // Names of neighbours stand at two heights: long ones would run into each other.
      nameGap: dim % 2 ? 26 : 12,
      ...(dimension.kind === 'category'
        ? { type: 'category', data: dimension.categories }
        : {
            type: dimension.log ? 'log' : 'value',
            scale: true,
            min: dimension.unset ?? 'dataMin',
            max: 'dataMax',
            axisLabel: {
              formatter: (value: number) => (isUnset(dimension, value) ? words.parallel.notSet : number(value)),
            },
          }),
    })),
    visualMap: {
      show: values.length > 1,
      type: 'continuous',
      dimension: last,
      seriesIndex: 0,
      min: Number.isFinite(low) ? low : 0,
      max: Number.isFinite(high) ? high : 1,
      right: 4,
      top: 'middle',
      itemWidth: 10,
      itemHeight: 110,
      calculable: false,
      text: isDown ? [number(low), number(high)] : [number(high), number(low)],
      inverse: isDown,
      textStyle: { color: theme.muted, fontSize: 10 },
      formatter: (value: number) => number(value),
      inRange: { color: colours },
      outOfRange: { color: theme.state.infeasible },
    },
    series: [
      {
        id: 'lines',
        type: 'parallel',
        smooth: false,
        progressive: 0,
        lineStyle: { width: 1, opacity: points.length > 200 ? 0.35 : 0.6 },
        inactiveOpacity: 0.04,
        activeOpacity: 0.8,
        emphasis: { lineStyle: { width: 3, opacity: 1 } },
        data: points.map((point) => lineOf(task, point, dimensions, selected, theme)),
      },
    ],
  };
}

function lineOf(
  task: PlotTask,
  point: Point,
  dimensions: readonly Dimension[],
  selected: ReadonlySet<number>,
  theme: PlotTheme,
) {
  const isSelected = selected.has(point.number);
  const isBest = point.number === task.best;
  const style: Record<string, unknown> = {};
  if (point.objective === null) Object.assign(style, { color: theme.state.infeasible, type: [4, 3] });
  if (isSelected || (isBest && selected.size === 0)) Object.assign(style, { width: 2.5, opacity: 1 });
  else if (selected.size > 0) style.opacity = 0.06;
  return { name: String(point.number), value: dimensions.map((dimension) => dimension.of(point)), lineStyle: style };
}

export function parallelTable(task: PlotTask, points: readonly Point[], names: readonly string[]): PlotTable {
  const { label, unit } = task.objective;
  return {
    columns: [words.number, words.state, ...names, unit ? `${label} (${unit})` : label],
    rows: points
      .toSorted((a, b) => a.number - b.number)
      .map((point) => [
        point.number,
        stateWord(point.state),
        ...names.map((name) => {
          const value = point.configuration[name];
          return typeof value === 'number' ? value : valueWord(value);
        }),
        point.objective,
      ]),
  };
}
