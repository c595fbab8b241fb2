import type { EChartsCoreOption } from 'echarts/core';
import { type ReactNode, useCallback, useMemo } from 'react';
import type { Figure, Metric, Percentile, SloSpec, Stat, Summary } from '@/api/types';
import { figure, number, unitOf } from '@/format';
import { metrics } from '@/text/common';
import { percentiles as words } from '@/text/percentiles';
import { Chart } from './Chart';
import type { PlotTable } from './table';
import { type PlotTheme, SERIES_DASH, SERIES_SYMBOL } from './theme';
import { tip } from './tip';
import { Pick } from './tools';

/** The distributions of one measurement: a level of an experiment. */
export interface Curve {
  name: string;
  metrics: Partial<Record<Metric, Figure>>;
}

/** Times that may be drawn, most wanted first. */
export const CURVE_METRICS = ['ttft', 'tpot', 'itl', 'e2e_latency', 'ttft_resp', 'e2e_resp', 'ttfat', 'icl'] as const;
export type CurveMetric = (typeof CURVE_METRICS)[number];

function summary(curve: Curve, metric: Metric): Summary | undefined {
  const found = curve.metrics[metric];
  return typeof found === 'object' && found.n > 0 ? found : undefined;
}

/** The metrics that some curve has as a distribution. */
export function drawable(curves: readonly Curve[]): CurveMetric[] {
  return CURVE_METRICS.filter((metric) => curves.some((curve) => summary(curve, metric)));
}

const share = (percentile: string) => Number(percentile.slice(1));

/** All percentiles that are known, smallest first. */
export function knownPercentiles(curves: readonly Curve[], metric: Metric): Percentile[] {
  const all = new Set(curves.flatMap((curve) => Object.keys(summary(curve, metric)?.percentiles ?? {})));
  return [...all].sort((a, b) => share(a) - share(b)) as Percentile[];
}

export interface SloLine {
  stat: Stat;
  most: number;
}

/** Largest times that SLOs allow for a metric. */
export function slosOn(slos: readonly SloSpec[] | undefined, metric: Metric): SloLine[] {
  return (slos ?? []).flatMap((slo) =>
    slo.metric === metric && slo.max_ms !== undefined ? [{ stat: slo.stat ?? 'p99', most: slo.max_ms }] : [],
  );
}

/** Whether a limit is so far above all times that they would be a line on the floor beside it. */
function isFar({ most }: SloLine, curves: readonly Curve[], metric: Metric): boolean {
  const highest = curves.flatMap((curve) => {
    const { percentiles = {}, upper_bounds = {} } = summary(curve, metric) ?? {};
    return [...Object.values(percentiles), ...Object.values(upper_bounds)];
  });
  return highest.length > 0 && most > FAR * Math.max(...highest);
}

const FAR = 5;

type Api = { value: (n: number) => number; coord: (at: number[]) => number[] };

/** Bounds of a percentile as a thin line, beside those of the other curves. */
function bounds(curve: Curve, index: number, of: number, metric: Metric, names: Percentile[], theme: PlotTheme) {
  const found = summary(curve, metric);
  const data = names.flatMap((name, at) => {
    const [low, high] = [found?.lower_bounds?.[name], found?.upper_bounds?.[name]];
    return low === undefined || high === undefined ? [] : [[at, low, high]];
  });
  const shift = (index - (of - 1) / 2) * 4;
  const colour = theme.series[index % 8];
  return {
    type: 'custom',
    id: `bounds ${index}`,
    name: curve.name,
    silent: true,
    z: 1,
    tooltip: { show: false },
    itemStyle: { color: colour },
    encode: { x: 0, y: [1, 2] },
    data,
    renderItem: (_: unknown, api: Api) => {
      const [x = 0, low = 0] = api.coord([api.value(0), api.value(1)]);
      const [, high = 0] = api.coord([api.value(0), api.value(2)]);
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: 'line',
        shape: { x1: x1 + shift, y1, x2: x2 + shift, y2 },
        style: { stroke: colour, lineWidth: 1.5, opacity: 0.55 },
      });
      return {
        type: 'group',
        children: [line(x, low, x, high), line(x - 3, low, x + 3, low), line(x - 3, high, x + 3, high)],
      };
    },
  };
}

function lineOf(curve: Curve, index: number, metric: Metric, names: Percentile[], theme: PlotTheme) {
  const found = summary(curve, metric);
  const symbol = SERIES_SYMBOL[index % SERIES_SYMBOL.length] ?? 'circle';
  return {
    type: 'line',
    id: `curve ${index}`,
    name: curve.name,
    symbol,
    symbolSize: 7,
    lineStyle: { type: SERIES_DASH[index % SERIES_DASH.length], width: 2 },
    itemStyle: { color: theme.series[index % 8] },
    z: 3,
    data: names.map((name) => {
      const value = found?.percentiles[name];
      if (value === undefined) return null;
      // Without an upper bound there are too few requests behind it.
      const isSure = found?.upper_bounds?.[name] !== undefined;
      return isSure
        ? { value }
        : { value, itemStyle: { color: theme.surface, borderColor: theme.series[index % 8], borderWidth: 1.5 } };
    }),
  };
}

function slo(lines: readonly SloLine[], names: Percentile[], theme: PlotTheme): Record<string, unknown>[] {
  if (lines.length === 0) return [];
  const at = lines.map(({ stat, most }) => ({ place: names.indexOf(stat as Percentile), stat, most }));
  return [
    {
      type: 'scatter',
      id: 'slo',
      name: words.slo,
      symbol: 'path://M-5,-5L5,-5L0,4Z',
      symbolSize: 11,
      symbolOffset: [0, -6],
      itemStyle: { color: theme.bad },
      z: 4,
      tooltip: { show: false },
      data: at.filter(({ place }) => place >= 0).map(({ place, most }) => [place, most]),
      markLine: {
        silent: true,
        symbol: 'none',
        lineStyle: { color: theme.bad, type: [5, 3], width: 1.5 },
        label: { position: 'insideStartTop', color: theme.bad, fontSize: 11 },
        data: at.map(({ stat, most }) => ({ yAxis: most, label: { formatter: words.sloAt(stat, number(most)) } })),
      },
    },
  ];
}

/** Percentile curves: one line per measurement, bounds where they are known, and what the SLOs allow. */
export function percentileOption(
  curves: readonly Curve[],
  metric: Metric,
  slos: readonly SloLine[],
  theme: PlotTheme,
): EChartsCoreOption {
  const names = knownPercentiles(curves, metric);
  const shown = curves.flatMap((curve, index) => (summary(curve, metric) ? [{ curve, index }] : []));
  const near = slos.filter((line) => !isFar(line, curves, metric));
  const top = Math.max(0, ...near.map(({ most }) => most));
  return {
    grid: { left: 64, right: 20, top: shown.length > 1 ? 34 : 18, bottom: 42 },
    legend: shown.length > 1 ? { data: shown.map(({ curve }) => curve.name) } : undefined,
    xAxis: { type: 'category', data: names, name: words.axis, boundaryGap: true },
    yAxis: {
      type: 'value',
      name: unitOf(metric),
      min: 0,
      // The limit is not drawn on the edge.
      max: ({ max }: { max: number }) => (top >= max && top > 0 ? top * 1.08 : undefined),
    },
    tooltip: {
      trigger: 'axis',
      formatter: (params: { name: string }[]) => {
        const name = params[0]?.name as Percentile | undefined;
        return name ? tip(words.tip(metrics[metric] ?? metric, name), tipRows(shown, metric, name)) : '';
      },
    },
    series: [
      ...shown.map(({ curve, index }) => lineOf(curve, index, metric, names, theme)),
      ...shown.map(({ curve, index }) => bounds(curve, index, curves.length, metric, names, theme)),
      ...slo(near, names, theme),
    ],
  };
}

function tipRows(shown: readonly { curve: Curve }[], metric: Metric, name: Percentile): [string, string][] {
  return shown.flatMap(({ curve }): [string, string][] => {
    const found = summary(curve, metric);
    const value = found?.percentiles[name];
    if (!found || value === undefined) return [];
    const [low, high] = [found.lower_bounds?.[name], found.upper_bounds?.[name]];
    const text = figure(metric, value);
    const range = low === undefined || high === undefined ? words.noBound : `${number(low)} – ${number(high)}`;
    return [[curve.name, `${text} (${range})`]];
  });
}

/** The same figures: percentiles down, for each curve its value with both bounds. */
export function percentileTable(curves: readonly Curve[], metric: Metric): PlotTable {
  const shown = curves.filter((curve) => summary(curve, metric));
  const row = (name: Percentile) =>
    shown.flatMap((curve) => {
      const found = summary(curve, metric);
      return [found?.percentiles[name], found?.lower_bounds?.[name], found?.upper_bounds?.[name]];
    });
  return {
    columns: [
      words.axis,
      ...shown.flatMap(({ name }) => [`${name} (${unitOf(metric)})`, words.lower(name), words.upper(name)]),
    ],
    rows: knownPercentiles(curves, metric).map((name) => [name, ...row(name)]),
  };
}

interface PercentilesProps {
  title: string;
  curves: readonly Curve[];
  slos?: readonly SloSpec[];
  /** What somebody chose; without it, or where it cannot be drawn, the first that can. */
  metric: string | undefined;
  onMetric: (metric: string) => void;
  fileName: string;
  tools?: ReactNode;
  height?: number;
}

/** How long requests took, from the quick ones to the slow ones. */
export function Percentiles({ title, curves, slos, metric, onMetric, fileName, tools, height }: PercentilesProps) {
  const choices = useMemo(() => drawable(curves), [curves]);
  const shown = choices.find((choice) => choice === metric) ?? choices[0] ?? 'ttft';
  const lines = useMemo(() => slosOn(slos, shown), [slos, shown]);
  const option = useCallback(
    (theme: PlotTheme) => percentileOption(curves, shown, lines, theme),
    [curves, shown, lines],
  );
  const table = useMemo(() => percentileTable(curves, shown), [curves, shown]);
  const named = (list: readonly SloLine[]) => list.map(({ stat, most }) => words.sloAt(stat, number(most))).join(', ');
  const limits = named(lines);
  const above = named(lines.filter((line) => isFar(line, curves, shown)));
  return (
    <Chart
      title={title}
      description={words.describe(metrics[shown] ?? shown, curves.map(({ name }) => name).join(', '), limits)}
      note={above ? words.above(above) : words.note}
      option={option}
      table={table}
      fileName={fileName}
      height={height}
      points={{ have: knownPercentiles(curves, shown).length, need: 2 }}
      tools={
        <>
          {tools}
          <Pick
            label={words.metric}
            value={shown}
            choices={choices.map((choice) => ({ value: choice, label: metrics[choice] ?? choice }))}
            onChange={onMetric}
          />
        </>
      }
    />
  );
}
