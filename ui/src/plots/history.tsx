import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo, useState } from 'react';
import { configurationLine, count, duration, number, withUnit } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { isBetter, type PlotTask, type Point } from './data/points';
import { type Marked, markedOf, stateLegend, stateSeries, stateWord } from './marks';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { pointTooltip } from './tip';
import { Pick, Pressed } from './tools';
import { BOX, useLinked } from './useLinked';

export type HistoryBy = 'number' | 'time' | 'cost';

interface Placed {
  point: Point;
  x: number;
}

/** Where experiments stand across: their number, seconds since the first, or seconds spent in experiments until their end. */
export function placed(points: readonly Point[], by: HistoryBy): Placed[] {
  const start = Math.min(...points.map((point) => point.createdAt));
  let spent = 0;
  return points.map((point) => {
    spent += point.elapsedS ?? 0;
    const x =
      by === 'number' ? point.number : by === 'time' ? ((point.endedAt ?? point.createdAt) - start) / 1000 : spent;
    return { point, x };
  });
}

/** The best of the search so far as steps; only what meets the SLOs counts, and what verifies has been counted. */
export function bestSoFar(all: readonly Placed[], task: PlotTask): [number, number][] {
  const steps: [number, number][] = [];
  let best: number | null = null;
  for (const { point, x } of all.toSorted((a, b) => a.x - b.x)) {
    const { objective } = point;
    if (objective === null || point.class !== 'feasible' || point.role === 'verify') continue;
    if (best === null || isBetter(task.objective, objective, best)) {
      best = objective;
      steps.push([x, best]);
    }
  }
  const end = Math.max(...all.map(({ x }) => x));
  if (best !== null && end > (steps.at(-1)?.[0] ?? end)) steps.push([end, best]);
  return steps;
}

const AXES: Record<HistoryBy, string> = {
  number: words.number,
  time: words.history.timeAxis,
  cost: words.history.costAxis,
};

export function historyOption(
  task: PlotTask,
  by: HistoryBy,
  log: boolean,
  marked: Marked,
  theme: PlotTheme,
): EChartsCoreOption {
  const all = placed(task.points, by);
  const at = new Map(all.map(({ point, x }) => [point, x]));
  const valued = task.points.filter((point) => point.objective !== null);
  const rest = task.points.filter((point) => point.objective === null);
  const place = (point: Point): [number, number] => [at.get(point) ?? 0, point.objective ?? 0];
  const series = stateSeries(valued, place, marked, theme);
  const strip = stateSeries(rest, (point) => [at.get(point) ?? 0, 0], marked, theme, { xAxisIndex: 1, yAxisIndex: 1 });
  for (const one of strip) one.id = `strip ${one.id}`;
  const baseline = valued.find((point) => point.number === task.baseline)?.objective;
  const verify = all.filter(({ point }) => point.role === 'verify').map(({ x }) => x);
  const noisy = valued.filter((point) => point.noise !== null);
  const xs = all.map((one) => one.x);
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const pad = by === 'number' ? Math.max(1, Math.round((high - low) * 0.02)) : (high - low) * 0.02 || 1;
  const x = {
    type: 'value',
    // Both axes have the same ends, so that what is below stands below.
    min: low - pad,
    max: high + pad,
    axisLabel: {
      showMinLabel: false,
      showMaxLabel: false,
      formatter: by === 'number' ? (value: number) => count(value) : (value: number) => duration(value),
    },
    splitLine: { show: false },
    minInterval: by === 'number' ? 1 : undefined,
  };
  const below = strip.length > 0;
  return {
    grid: [
      { left: 64, right: 20, top: 30, bottom: below ? 64 : 44 },
      { left: 64, right: 20, height: 18, bottom: 42, show: below, borderColor: theme.line },
    ],
    legend: { data: [...stateLegend(series), { name: words.history.bestSoFar, icon: 'roundRect' }] },
    tooltip: pointTooltip(task),
    ...BOX,
    dataZoom: [{ type: 'inside', xAxisIndex: [0, 1], filterMode: 'none' }],
    xAxis: [
      {
        ...x,
        gridIndex: 0,
        name: below ? '' : AXES[by],
        axisLabel: { ...x.axisLabel, show: !below },
        axisTick: { show: !below },
      },
      { ...x, gridIndex: 1, name: AXES[by], show: below },
    ],
    yAxis: [
      {
        type: log ? 'log' : 'value',
        name: withAxisUnit(task.objective.label, task.objective.unit),
        scale: true,
        gridIndex: 0,
        axisLabel: { formatter: (value: number) => number(value) },
      },
      { type: 'value', gridIndex: 1, show: false, min: -1, max: 1, name: '' },
    ],
    series: [
      {
        id: 'best so far',
        type: 'line',
        name: words.history.bestSoFar,
        step: 'end',
        symbol: 'none',
        lineStyle: { color: theme.accent, width: 1.5 },
        itemStyle: { color: theme.accent },
        data: bestSoFar(all, task),
        silent: true,
        z: 2,
        markLine:
          baseline == null
            ? undefined
            : {
                silent: true,
                symbol: 'none',
                lineStyle: { color: theme.muted, type: [4, 4], width: 1 },
                label: { show: false },
                data: [{ yAxis: baseline }],
              },
        markArea:
          verify.length === 0
            ? undefined
            : {
                silent: true,
                itemStyle: { color: theme.accent, opacity: 0.07 },
                label: { color: theme.muted, fontSize: 11, position: 'insideTop' },
                data: [
                  [{ name: words.history.verification, xAxis: Math.min(...verify) }, { xAxis: Math.max(...verify) }],
                ],
              },
      },
      ...series,
      ...strip,
      ...(noisy.length ? [errorBars(noisy, place, theme)] : []),
    ],
  };
}

function withAxisUnit(label: string, unit: string): string {
  return unit ? `${label} (${unit})` : label;
}

/** One standard error over repeats, up and down. */
function errorBars(points: readonly Point[], place: (point: Point) => [number, number], theme: PlotTheme) {
  return {
    id: 'noise',
    type: 'custom',
    silent: true,
    z: 2,
    data: points.map((point) => {
      const [x, y] = place(point);
      const half = Math.abs(y) * (point.noise ?? 0);
      return [x, y - half, y + half];
    }),
    encode: { x: 0, y: [1, 2] },
    renderItem: (_: unknown, api: { value: (n: number) => number; coord: (at: number[]) => number[] }) => {
      const [x = 0, low = 0] = api.coord([api.value(0), api.value(1)]);
      const [, high = 0] = api.coord([api.value(0), api.value(2)]);
      return {
        type: 'path',
        shape: { pathData: `M${x - 3},${low}H${x + 3}M${x},${low}V${high}M${x - 3},${high}H${x + 3}` },
        style: { stroke: theme.muted, lineWidth: 1, fill: 'none' },
      };
    },
  };
}

export function historyTable(task: PlotTask): PlotTable {
  return {
    columns: [words.number, words.state, `${task.objective.label} ${task.objective.unit}`.trim(), words.configuration],
    rows: task.points.map((point) => [
      point.number,
      stateWord(point.state),
      point.objective,
      configurationLine(point.configuration) || words.defaults,
    ]),
  };
}

/** The objective of each experiment in their order, with the best so far. */
export function History({ task, height = 300 }: { task: PlotTask; height?: number }) {
  const [by, setBy] = useState<HistoryBy>('number');
  const [log, setLog] = useState(false);
  const { selected, events, onChart, isBox, changeBox, keys } = useLinked();
  const option = useCallback(
    (theme: PlotTheme) => historyOption(task, by, log, markedOf(task, selected), theme),
    [task, by, log, selected],
  );
  const table = useMemo(() => historyTable(task), [task]);
  const of = (wanted: number | null) =>
    withUnit(task.points.find((point) => point.number === wanted)?.objective, task.objective.unit);
  const choices = (['number', 'time', 'cost'] as const).map((value) => ({ value, label: words.history[value] }));
  return (
    <Chart
      title={words.history.title}
      description={words.history.describe(task.points.length, of(task.best), of(task.baseline))}
      option={option}
      table={table}
      fileName={`${task.name}-history`}
      height={height}
      events={events}
      onChart={onChart}
      keys={keys}
      points={{ have: task.points.filter((point) => point.objective !== null).length, need: 1 }}
      tools={
        <>
          <Pick label={words.history.by} value={by} choices={choices} onChange={(value) => setBy(value as HistoryBy)} />
          <Pressed label={words.log('y')} on={log} onChange={setLog} />
          <Pressed label={words.box} help={words.boxHelp} on={isBox} onChange={changeBox} />
        </>
      }
    />
  );
}
