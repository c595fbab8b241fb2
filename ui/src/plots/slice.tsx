import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo, useState } from 'react';
import { useInsight } from '@/api/results';
import type { Expected, ExpectedPoint } from '@/api/types';
import { flagValue, number, tick } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { findQuantity, limitOn, numberOf, type Quantity, quantities } from './data/axes';
import { binsOf } from './data/bins';
import type { PlotTask, Point } from './data/points';
import { type MeanOf, meanOf } from './data/statistics';
import { type Marked, markedOf, stateLegend, stateSeries, stateWord } from './marks';
import { type Dimension, dimensionOf, isUnset } from './parallelOption';
import type { PlotProps } from './registry';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { figureWords, pointTooltip } from './tip';
import { choicesOf, Pick, Pressed } from './tools';
import { BOX, useLinked } from './useLinked';

export interface SliceGroup extends MeanOf {
  label: string;
  /** Middle of the group on the axis. */
  x: number | string;
}

/** Means of a quantity over groups of a parameter's values. */
export function groupsOf(points: readonly Point[], parameter: string, y: Quantity): SliceGroup[] {
  const measured = points.filter((point) => numberOf(y.of(point)) !== null);
  const bins = binsOf(parameter, measured);
  const isCategory = dimensionOf(parameter, points).kind === 'category';
  return bins.labels.flatMap((label, at) => {
    const members = measured.filter((point) => bins.of(point.configuration[parameter]) === at);
    const mean = meanOf(members.map((point) => numberOf(y.of(point)) ?? 0));
    if (!mean) return [];
    const values = members.map((point) => point.configuration[parameter]);
    const numbers = values.filter((value) => typeof value === 'number').toSorted((a, b) => a - b);
    const middle = numbers[numbers.length >> 1];
    if (!isCategory && middle === undefined) return [];
    return [{ ...mean, label, x: isCategory ? label : (middle as number) }];
  });
}

/** What is expected along one parameter, and beside which experiment. */
export interface Forecast {
  experiment: number;
  points: readonly ExpectedPoint[];
}

/** What the server expects of the first objective; of other figures it expects nothing. */
export function forecastOf(expected: Expected | null | undefined, parameter: string, y: Quantity): Forecast | null {
  const slice = y.id === 'objective' ? expected?.slices.find((one) => one.parameter === parameter) : undefined;
  return expected && slice?.points.length ? { experiment: expected.experiment, points: slice.points } : null;
}

interface Place {
  x: number | string;
  mean: number;
  low: number;
  high: number;
}

/** What is expected, where the axis has it: values on a scale are a line, others stand alone. */
function placesOf(forecast: Forecast, dimension: Dimension): { line: Place[]; alone: Place[] } {
  const places = forecast.points.flatMap(({ value, ...rest }) => {
    const x = dimension.at?.(value) ?? null;
    return x === null ? [] : [{ ...rest, x, isOnScale: dimension.kind === 'number' && typeof value === 'number' }];
  });
  const line = places.filter((place) => place.isOnScale).sort((a, b) => Number(a.x) - Number(b.x));
  return { line, alone: places.filter((place) => !place.isOnScale) };
}

export interface SliceLook {
  /** Absent: as the task searches it. */
  logX?: boolean;
  logY: boolean;
}

export function sliceOption(
  task: PlotTask,
  parameter: string,
  y: Quantity,
  look: SliceLook,
  marked: Marked,
  theme: PlotTheme,
  forecast: Forecast | null = null,
): EChartsCoreOption {
  const points = task.points.filter((point) => point.role !== 'verify');
  const dimension = dimensionOf(
    parameter,
    points,
    look.logX,
    forecast?.points.map(({ value }) => value),
  );
  const groups = forecast ? [] : groupsOf(points, parameter, y);
  const places = forecast ? placesOf(forecast, dimension) : { line: [], alone: [] };
  const meanName = forecast ? words.slice.expected : words.slice.mean;
  const place = (point: Point): [number | string, number] | null => {
    const value = numberOf(y.of(point));
    return value === null ? null : [dimension.of(point), value];
  };
  const series = stateSeries(points, place, marked, theme);
  const limit = limitOn(task.limits, y.id);
  const unit = y.isShare ? '%' : y.unit;
  const isCategory = dimension.kind === 'category';
  const categories = isCategory ? dimension.categories : null;
  const bounded = groups.filter((group) => group.low !== undefined);
  return {
    grid: { left: 64, right: 20, top: 30, bottom: 44 },
    legend: {
      data: [
        ...stateLegend(series),
        { name: meanName, icon: 'roundRect' },
        ...(forecast ? [{ name: words.slice.expectedBand, icon: 'rect' }] : []),
      ],
    },
    tooltip: pointTooltip(task, (point) => [
      [parameter, String(dimension.of(point))],
      [y.label, figureWords(numberOf(y.of(point)), y.unit, y.isShare)],
    ]),
    ...BOX,
    xAxis: {
      type: isCategory ? 'category' : dimension.log ? 'log' : 'value',
      name: parameter,
      data: isCategory ? dimension.categories : undefined,
      // Points of one value lie side by side instead of on each other.
      jitter: isCategory ? 18 : 0,
      jitterOverlap: true,
      scale: true,
      min: isCategory ? undefined : (dimension.unset ?? 'dataMin'),
      max: isCategory ? undefined : 'dataMax',
      axisLabel: {
        showMinLabel: dimension.unset === undefined ? undefined : true,
        formatter: (value: number | string) => {
          if (typeof value === 'string') return value;
          return isUnset(dimension, value) ? words.slice.notSet : tick(value);
        },
      },
    },
    yAxis: {
      type: look.logY ? 'log' : 'value',
      name: unit ? `${y.label} (${unit})` : y.label,
      scale: true,
      // What is not set stands below zero.
      axisLine: { onZero: false },
      axisLabel: { formatter: (value: number) => number(y.isShare ? value * 100 : value) },
    },
    series: [
      ...series,
      {
        id: 'mean',
        type: 'line',
        name: meanName,
        z: 6,
        silent: true,
        symbol: 'rect',
        symbolSize: 7,
        showSymbol: !forecast,
        lineStyle: { color: theme.ink, width: 1.5, type: isCategory ? [2, 3] : 'solid' },
        itemStyle: { color: theme.ink },
        data: [...groups, ...places.line].map(({ x, mean }) => [x, mean]),
        markLine: limit && {
          silent: true,
          symbol: 'none',
          lineStyle: { color: theme.bad, type: [5, 3], width: 1 },
          label: { formatter: limit.label, color: theme.bad, fontSize: 11, position: 'insideEndTop' },
          data: [{ yAxis: limit.value }],
        },
      },
      ...(places.line.length > 1 ? [band(places.line, theme)] : []),
      ...(forecast
        ? [marks(places.alone, categories, theme), whiskers(places.alone, categories, words.slice.expectedBand, theme)]
        : [whiskers(bounded, categories, words.slice.band, theme)]),
    ],
  };
}

/** Values without a scale between them: no line joins what is expected of them. */
function marks(alone: readonly Place[], categories: readonly string[] | null, theme: PlotTheme) {
  return {
    id: 'expected',
    type: 'custom',
    name: words.slice.expected,
    silent: true,
    z: 6,
    itemStyle: { color: theme.ink },
    encode: { x: 0, y: 1 },
    data: alone.map(({ x, mean }) => [categories ? categories.indexOf(String(x)) : x, mean]),
    renderItem: (_: unknown, api: Api) => {
      const [x = 0, y = 0] = api.coord([api.value(0), api.value(1)]);
      return { type: 'rect', shape: { x: x - 4, y: y - 4, width: 8, height: 8 }, style: { fill: theme.ink } };
    },
  };
}

/** Between the ends of what is expected, one area over all values. */
function band(line: readonly Place[], theme: PlotTheme) {
  const edge = [
    ...line.map(({ x, high }) => [Number(x), high]),
    ...line.toReversed().map(({ x, low }) => [Number(x), low]),
  ];
  return {
    id: 'band',
    type: 'custom',
    name: words.slice.expectedBand,
    silent: true,
    clip: true,
    z: 1,
    itemStyle: { color: theme.muted },
    encode: { x: 0, y: [1, 2] },
    data: line.map(({ x, low, high }) => [x, low, high]),
    renderItem: ({ dataIndex }: { dataIndex: number }, api: Api) =>
      // Pieces would show their seams: the first draws all.
      dataIndex === 0
        ? {
            type: 'polygon',
            shape: { points: edge.map((at) => api.coord(at)) },
            style: { fill: theme.muted, opacity: 0.18 },
          }
        : undefined,
  };
}

type Api = { value: (n: number) => number; coord: (at: number[]) => number[] };

/** The interval of each mean. */
function whiskers(
  groups: readonly { x: number | string; low?: number; high?: number }[],
  categories: readonly string[] | null,
  name: string,
  theme: PlotTheme,
) {
  return {
    id: 'interval',
    type: 'custom',
    name,
    itemStyle: { color: theme.muted },
    silent: true,
    z: 5,
    encode: { x: 0, y: [1, 2] },
    data: groups.map(({ x, low, high }) => [categories ? categories.indexOf(String(x)) : x, low, high]),
    renderItem: (_: unknown, api: Api) => {
      const [x = 0, low = 0] = api.coord([api.value(0), api.value(1)]);
      const [, high = 0] = api.coord([api.value(0), api.value(2)]);
      return {
        type: 'path',
        shape: { pathData: `M${x - 4},${low}H${x + 4}M${x},${low}V${high}M${x - 4},${high}H${x + 4}` },
        style: { stroke: theme.ink, lineWidth: 1.5, fill: 'none' },
      };
    },
  };
}

export function sliceTable(
  task: PlotTask,
  parameter: string,
  y: Quantity,
  forecast: Forecast | null = null,
): PlotTable {
  const points = task.points.filter((point) => point.role !== 'verify');
  const dimension = dimensionOf(parameter, points);
  const measured = points.flatMap((point) => {
    const value = numberOf(y.of(point));
    return value === null ? [] : [[point.number, stateWord(point.state), dimension.of(point), value]];
  });
  const columns = [words.number, words.state, parameter, y.unit ? `${y.label} (${y.unit})` : y.label];
  if (!forecast) return { columns, rows: measured };
  const expected = forecast.points.map(({ value, mean, low, high }) => {
    return [
      forecast.experiment,
      words.slice.expected,
      typeof value === 'number' ? value : flagValue(value),
      mean,
      low,
      high,
    ];
  });
  return { columns: [...columns, words.slice.low, words.slice.high], rows: [...measured, ...expected] };
}

/**
 * One parameter against a figure: every experiment, and what is expected with the others held as in the best one, or where
 * nothing is expected the means of those measured.
 */
export function Slice({ task, x, y, onAxes, height = 300 }: PlotProps) {
  const [own, setOwn] = useState<{ x?: string; y?: string }>({});
  const [look, setLook] = useState<SliceLook>({ logY: false });
  const { selected, events, onChart, isBox, changeBox, keys } = useLinked();
  const all = useMemo(() => quantities(task), [task]);
  const wanted = onAxes ? { x, y } : { x: own.x ?? x, y: own.y ?? y };
  const parameter = task.parameters.find((name) => name === wanted.x) ?? task.parameters[0] ?? '';
  const figures = all.filter(({ group }) => group !== 'parameter');
  const shown = findQuantity(figures, wanted.y) ?? (all[0] as Quantity);
  const logX = look.logX ?? task.logarithmic.has(parameter);
  const insight = useInsight(task.id);
  const forecast = useMemo(
    () => forecastOf(insight.data?.expected, parameter, shown),
    [insight.data, parameter, shown],
  );
  const option = useCallback(
    (theme: PlotTheme) =>
      sliceOption(task, parameter, shown, { ...look, logX }, markedOf(task, selected), theme, forecast),
    [task, parameter, shown, look, logX, selected, forecast],
  );
  const table = useMemo(() => sliceTable(task, parameter, shown, forecast), [task, parameter, shown, forecast]);
  const measured = table.rows.length - (forecast?.points.length ?? 0);
  const choose = (axes: { x?: string; y?: string }) => (onAxes ? onAxes(axes) : setOwn({ ...own, ...axes }));
  return (
    <Chart
      title={words.slice.title}
      description={
        forecast
          ? words.slice.describeExpected(parameter, shown.label, forecast.experiment)
          : words.slice.describe(parameter, shown.label)
      }
      note={forecast ? words.slice.as(forecast.experiment) : words.slice.marginal}
      option={option}
      table={table}
      fileName={`${task.name}-slice-${parameter}`}
      height={height}
      events={events}
      onChart={onChart}
      keys={keys}
      points={{ have: parameter ? measured : 0, need: 2 }}
      tools={
        <>
          <Pick
            label={words.axisX}
            value={parameter}
            choices={task.parameters.map((name) => ({ value: name, label: name }))}
            onChange={(to) => {
              setLook({ ...look, logX: undefined });
              choose({ x: to });
            }}
          />
          <Pick
            label={words.axisY}
            value={shown.id}
            choices={choicesOf(figures)}
            onChange={(to) => choose({ y: to })}
          />
          <Pressed label={words.box} help={words.boxHelp} on={isBox} onChange={changeBox} />
          <Pressed label={words.log('x')} on={logX} onChange={(to) => setLook({ ...look, logX: to })} />
          <Pressed label={words.log('y')} on={look.logY} onChange={(logY) => setLook({ ...look, logY })} />
        </>
      }
    />
  );
}
