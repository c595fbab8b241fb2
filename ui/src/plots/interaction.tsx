import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo, useState } from 'react';
import { number, percent, withUnit } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { type Bins, binsOf } from './data/bins';
import { isBetter, type PlotTask } from './data/points';
import type { PlotProps } from './registry';
import { select } from './selection';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { tip } from './tip';
import { Pick } from './tools';
import type { ChartEvents } from './useEchart';

export type Shows = 'mean' | 'best' | 'infeasible';

export interface Cell {
  x: number;
  y: number;
  numbers: number[];
  measured: number;
  infeasible: number;
  mean: number | null;
  best: number | null;
}

export interface Grid {
  x: Bins;
  y: Bins;
  cells: Cell[];
}

/** Experiments of the search by the values of two parameters. Cells that nobody tried are absent. */
export function gridOf(task: PlotTask, x: string, y: string): Grid {
  const points = task.points.filter(
    (it) => it.role !== 'verify' && (it.objective !== null || it.class === 'infeasible'),
  );
  const [binsX, binsY] = [binsOf(x, points), binsOf(y, points)];
  const cells = new Map<string, Cell & { sum: number }>();
  for (const point of points) {
    const [atX, atY] = [binsX.of(point.configuration[x]), binsY.of(point.configuration[y])];
    const key = `${atX} ${atY}`;
    const none = { x: atX, y: atY, numbers: [], measured: 0, infeasible: 0, mean: null, best: null, sum: 0 };
    const cell = cells.get(key) ?? none;
    cells.set(key, cell);
    cell.numbers.push(point.number);
    if (point.class === 'infeasible') cell.infeasible += 1;
    const { objective } = point;
    if (objective === null) continue;
    cell.measured += 1;
    cell.sum += objective;
    cell.mean = cell.sum / cell.measured;
    if (cell.best === null || isBetter(task.objective, objective, cell.best)) cell.best = objective;
  }
  return { x: binsX, y: binsY, cells: [...cells.values()].map(({ sum: _, ...cell }) => cell) };
}

function shownOf(cell: Cell, shows: Shows): number | null {
  return shows === 'infeasible' ? cell.infeasible / cell.numbers.length : cell[shows];
}

/** Cells whose words stay readable. */
const MOST_LABELLED = 100;

export function interactionOption(task: PlotTask, grid: Grid, shows: Shows, theme: PlotTheme): EChartsCoreOption {
  const isShare = shows === 'infeasible';
  const { unit, goal } = task.objective;
  const format = (value: number) => (isShare ? percent(value) : number(value));
  const values = grid.cells.map((cell) => shownOf(cell, shows)).filter((value) => value !== null);
  const [low, high] = isShare ? [0, 1] : [Math.min(...values), Math.max(...values)];
  const colours = isShare ? [theme.surface, theme.state.infeasible] : [theme.surface, theme.series[0] ?? theme.accent];
  const isDown = !isShare && goal === 'minimize';
  const axis = (bins: Bins) => ({
    type: 'category',
    data: bins.labels,
    name: bins.name,
    splitArea: { show: false },
    splitLine: { show: false },
    axisTick: { show: false },
  });
  return {
    grid: { left: 30, right: 84, top: 12, bottom: 30, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      formatter: (params: { data?: { cell: Cell } }) => {
        const cell = params.data?.cell;
        if (!cell) return '';
        return tip(`${grid.x.labels[cell.x]} × ${grid.y.labels[cell.y]}`, [
          [words.interaction.mean, withUnit(cell.mean, unit)],
          [words.interaction.best, withUnit(cell.best, unit)],
          [words.interaction.cell(cell.numbers.length), words.interaction.failed(cell.infeasible, cell.numbers.length)],
        ]);
      },
    },
    xAxis: axis(grid.x),
    yAxis: { ...axis(grid.y), nameGap: 8, nameLocation: 'middle', nameMoveOverlap: true },
    visualMap: {
      type: 'continuous',
      dimension: 2,
      min: Number.isFinite(low) ? low : 0,
      max: Number.isFinite(high) && high > low ? high : low + 1,
      right: 4,
      top: 'middle',
      itemWidth: 10,
      itemHeight: 110,
      textStyle: { color: theme.muted, fontSize: 10 },
      text: [format(high), format(low)],
      formatter: format,
      inRange: { color: isDown ? colours.toReversed() : colours },
    },
    series: [
      {
        type: 'heatmap',
        itemStyle: { borderColor: theme.line, borderWidth: 1 },
        emphasis: { itemStyle: { borderColor: theme.ink, borderWidth: 2 } },
        label: {
          show: grid.cells.length <= MOST_LABELLED,
          fontSize: 10,
          lineHeight: 13,
          formatter: (params: { data: { cell: Cell } }) => {
            const { cell } = params.data;
            const value = shownOf(cell, shows);
            const crosses = !isShare && cell.infeasible > 0 ? `\n✕ ${cell.infeasible}/${cell.numbers.length}` : '';
            return `${value === null ? '' : format(value)}${crosses}`;
          },
        },
        data: grid.cells.map((cell) => {
          const value = shownOf(cell, shows);
          const place = value === null || high <= low ? 0 : (value - low) / (high - low);
          const isDark = (isDown ? 1 - place : place) > 0.5;
          return {
            value: [cell.x, cell.y, value ?? '-'],
            cell,
            label: { color: isDark ? theme.surface : theme.ink },
          };
        }),
      },
    ],
  };
}

export function interactionTable(task: PlotTask, grid: Grid): PlotTable {
  const { unit } = task.objective;
  const of = (name: string) => (unit ? `${name} (${unit})` : name);
  const { interaction } = words;
  return {
    columns: [
      grid.x.name,
      grid.y.name,
      words.slice.n,
      of(interaction.mean),
      of(interaction.best),
      interaction.infeasible,
    ],
    rows: grid.cells.map((cell) => [
      grid.x.labels[cell.x],
      grid.y.labels[cell.y],
      cell.numbers.length,
      cell.mean,
      cell.best,
      cell.infeasible / cell.numbers.length,
    ]),
  };
}

/** Two parameters against each other: the objective, and where configurations cannot run. A click selects a cell's experiments. */
export function Interaction({ task, x, y, onAxes, height = 320 }: PlotProps) {
  const [own, setOwn] = useState<{ x?: string; y?: string }>({});
  const [shows, setShows] = useState<Shows>('mean');
  const wanted = onAxes ? { x, y } : { x: own.x ?? x, y: own.y ?? y };
  const names = task.parameters;
  const onX = names.find((name) => name === wanted.x) ?? names[0] ?? '';
  const onY = names.find((name) => name === wanted.y && name !== onX) ?? names.find((name) => name !== onX) ?? '';
  const grid = useMemo(() => gridOf(task, onX, onY), [task, onX, onY]);
  const option = useCallback((theme: PlotTheme) => interactionOption(task, grid, shows, theme), [task, grid, shows]);
  const table = useMemo(() => interactionTable(task, grid), [task, grid]);
  const events = useMemo<ChartEvents>(
    () => ({
      click: (params: { data?: { cell?: Cell } }) => {
        if (params.data?.cell) select(params.data.cell.numbers);
      },
    }),
    [],
  );
  const choose = (axes: { x?: string; y?: string }) => (onAxes ? onAxes(axes) : setOwn({ ...own, ...axes }));
  const choices = names.map((name) => ({ value: name, label: name }));
  const kinds = (['mean', 'best', 'infeasible'] as const).map((value) => ({ value, label: words.interaction[value] }));
  return (
    <Chart
      title={words.interaction.title}
      description={words.interaction.describe(onX, onY, words.interaction[shows])}
      note={names.length < 2 ? words.interaction.needTwo : undefined}
      option={option}
      table={table}
      fileName={`${task.name}-interaction`}
      height={height}
      events={events}
      points={{ have: onY ? grid.cells.reduce((sum, cell) => sum + cell.numbers.length, 0) : 0, need: 4 }}
      tools={
        <>
          <Pick label={words.axisX} value={onX} choices={choices} onChange={(to) => choose({ x: to })} />
          <Pick label={words.axisY} value={onY} choices={choices} onChange={(to) => choose({ y: to })} />
          <Pick
            label={words.interaction.shows}
            value={shows}
            choices={kinds}
            onChange={(to) => setShows(to as Shows)}
          />
        </>
      }
    />
  );
}
