import type { EChartsCoreOption } from 'echarts/core';
import { SlidersHorizontal } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { IconButton } from '@/components/Button';
import { Menu } from '@/components/Menu';
import { configurationLine, number } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { endsOf, findQuantity, isWide, limitOn, numberOf, type Quantity, quantities, tradeAxes } from './data/axes';
import { type Better, front, staircase, type Traded } from './data/front';
import type { PlotTask, Point } from './data/points';
import { type Marked, markedOf, stateLegend, stateSeries, stateWord } from './marks';
import type { PlotProps } from './registry';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { figureWords, pointTooltip } from './tip';
import { choicesOf, Pick, Pressed } from './tools';
import { BOX, useLinked } from './useLinked';

export interface Trade {
  x: Quantity;
  y: Quantity;
  points: (Traded & { point: Point })[];
  front: (Traded & { point: Point })[];
  better: { x: Better; y: Better };
}

/** Experiments placed on two quantities, and the front of those that meet the SLOs. */
export function tradeOf(task: PlotTask, x: Quantity, y: Quantity): Trade {
  const better = { x: x.better ?? 'smaller', y: y.better ?? 'larger' };
  const points = task.points.flatMap((point) => {
    const [atX, atY] = [numberOf(x.of(point)), numberOf(y.of(point))];
    return atX === null || atY === null ? [] : [{ number: point.number, x: atX, y: atY, point }];
  });
  const feasible = points.filter(({ point }) => point.class === 'feasible' && point.role !== 'verify');
  return { x, y, points, front: front(feasible, better), better };
}

export interface ParetoLook {
  logX: boolean;
  logY: boolean;
  frontOnly: boolean;
}

function axisOf(task: PlotTask, quantity: Quantity, values: readonly number[], log: boolean) {
  const unit = quantity.isShare ? '%' : quantity.unit;
  return {
    type: log ? 'log' : 'value',
    name: unit ? `${quantity.label} (${unit})` : quantity.label,
    scale: true,
    ...endsOf(values, limitOn(task.limits, quantity.id)?.value, log),
    axisLabel: {
      showMinLabel: !log,
      showMaxLabel: false,
      formatter: (value: number) => number(quantity.isShare ? value * 100 : value),
    },
    splitLine: { show: true },
  };
}

/** Ends that make an area reach to the border of the plot, also on a logarithmic axis. */
const FAR = { low: { value: -1e12, log: 1e-12 }, high: { value: 1e12, log: 1e12 } };

function sloMarks(task: PlotTask, trade: Trade, look: ParetoLook, theme: PlotTheme) {
  const onX = limitOn(task.limits, trade.x.id);
  const onY = limitOn(task.limits, trade.y.id);
  if (!onX && !onY) return {};
  const ends = (limit: typeof onX, log: boolean): [number, number] => {
    const scale = log ? 'log' : 'value';
    const [low, high] = [FAR.low[scale], FAR.high[scale]];
    return limit ? (limit.bound === 'max' ? [low, limit.value] : [limit.value, high]) : [low, high];
  };
  const [x, y] = [ends(onX, look.logX), ends(onY, look.logY)];
  const lines = [
    onX && { xAxis: onX.value, name: onX.label, label: { position: 'end', rotate: 0, distance: 3, align: 'right' } },
    onY && { yAxis: onY.value, name: onY.label, label: { position: 'insideEndTop' } },
  ];
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      lineStyle: { color: theme.bad, type: [5, 3], width: 1 },
      label: { formatter: '{b}', color: theme.bad, fontSize: 11 },
      data: lines.filter(Boolean),
    },
    markArea: {
      silent: true,
      itemStyle: { color: theme.ok, opacity: 0.06 },
      data: [[{ coord: [x[0], y[0]] }, { coord: [x[1], y[1]] }]],
    },
  };
}

export function paretoOption(
  task: PlotTask,
  trade: Trade,
  look: ParetoLook,
  marked: Marked,
  theme: PlotTheme,
): EChartsCoreOption {
  const kept = new Set(trade.front.map(({ number: it }) => it));
  const shown = look.frontOnly
    ? trade.points.filter(({ number: it }) => kept.has(it) || it === task.baseline || marked.selected.has(it))
    : trade.points;
  const [xs, ys] = [shown.map(({ x }) => x), shown.map(({ y }) => y)];
  const at = new Map(shown.map(({ point, x, y }) => [point, [x, y] as [number, number]]));
  const series = stateSeries(
    shown.map(({ point }) => point),
    (point) => at.get(point) ?? null,
    marked,
    theme,
  );
  return {
    grid: { left: 64, right: 28, top: 38, bottom: 44 },
    legend: { left: 60, data: [...stateLegend(series), { name: words.pareto.front, icon: 'roundRect' }] },
    tooltip: pointTooltip(task, (point) =>
      [trade.x, trade.y].map((it) => [it.label, figureWords(numberOf(it.of(point)), it.unit, it.isShare)] as const),
    ),
    ...BOX,
    dataZoom: [
      { type: 'inside', xAxisIndex: 0, filterMode: 'none' },
      { type: 'inside', yAxisIndex: 0, filterMode: 'none', zoomOnMouseWheel: 'shift' },
    ],
    xAxis: axisOf(task, trade.x, xs, look.logX),
    yAxis: axisOf(task, trade.y, ys, look.logY),
    series: [
      {
        id: 'front',
        type: 'line',
        name: words.pareto.front,
        symbol: 'none',
        silent: true,
        z: 2,
        lineStyle: { color: theme.accent, width: 1.5 },
        itemStyle: { color: theme.accent },
        data: staircase(trade.front, trade.better),
        ...sloMarks(task, trade, look, theme),
      },
      ...series,
    ],
  };
}

export function paretoTable(trade: Trade): PlotTable {
  const kept = new Set(trade.front.map(({ number: it }) => it));
  const head = ({ label, unit }: Quantity) => (unit ? `${label} (${unit})` : label);
  return {
    columns: [words.number, words.state, head(trade.x), head(trade.y), words.pareto.front, words.configuration],
    rows: trade.points.map(({ point, x, y }) => [
      point.number,
      stateWord(point.state),
      x,
      y,
      kept.has(point.number) ? words.pareto.front : '',
      configurationLine(point.configuration) || words.defaults,
    ]),
  };
}

const DECIDING = 'deciding';

/** Two figures against each other with their front, the SLOs, and what meets them. */
export function Pareto({ task, x, y, onAxes, height = 320 }: PlotProps) {
  const [own, setOwn] = useState<{ x?: string; y?: string }>({});
  const [level, setLevel] = useState(DECIDING);
  const [wish, setWish] = useState<Partial<ParetoLook>>({});
  const { selected, events, onChart, isBox, changeBox } = useLinked();
  const all = useMemo(
    () => quantities(task, level === DECIDING ? undefined : Number(level)).filter(({ group }) => group !== 'parameter'),
    [task, level],
  );
  const usual = tradeAxes(task);
  const wanted = onAxes ? { x, y } : { x: own.x ?? x, y: own.y ?? y };
  const [onX, onY] = [
    findQuantity(all, wanted.x) ?? findQuantity(all, usual.x) ?? all[0],
    findQuantity(all, wanted.y) ?? findQuantity(all, usual.y) ?? all[0],
  ];
  const trade = useMemo(() => onX && onY && tradeOf(task, onX, onY), [task, onX, onY]);
  const look = useMemo<ParetoLook>(() => {
    const isFar = (at: 'x' | 'y') => isWide(trade?.points.map((point) => point[at]) ?? []);
    return { logX: isFar('x'), logY: isFar('y'), frontOnly: false, ...wish };
  }, [trade, wish]);
  const option = useCallback(
    (theme: PlotTheme) => (trade ? paretoOption(task, trade, look, markedOf(task, selected), theme) : {}),
    [task, trade, look, selected],
  );
  const table = useMemo(() => (trade ? paretoTable(trade) : { columns: [], rows: [] }), [trade]);
  const choose = (axes: { x?: string; y?: string }) => (onAxes ? onAxes(axes) : setOwn({ ...own, ...axes }));
  const choices = choicesOf(all);
  const levels = [...new Map(task.points.flatMap((it) => it.levels.map((l) => [l.level, l.label])))];
  return (
    <Chart
      title={words.pareto.title}
      description={words.pareto.describe(
        trade?.points.length ?? 0,
        trade?.front.length ?? 0,
        onX?.label ?? '',
        onY?.label ?? '',
      )}
      note={task.hasReport ? undefined : words.waitsForReport}
      option={option}
      table={table}
      fileName={`${task.name}-trade-off`}
      height={height}
      events={events}
      onChart={onChart}
      points={{ have: trade?.points.length ?? 0, need: 2 }}
      tools={
        <>
          <Pick label={words.axisX} value={onX?.id ?? ''} choices={choices} onChange={(to) => choose({ x: to })} />
          <Pick label={words.axisY} value={onY?.id ?? ''} choices={choices} onChange={(to) => choose({ y: to })} />
          {levels.length > 1 && (
            <Pick
              label={words.pareto.level}
              value={level}
              choices={[
                { value: DECIDING, label: words.decidingLevel },
                ...levels.map(([value, label]) => ({ value: String(value), label })),
              ]}
              onChange={setLevel}
            />
          )}
          <Pressed label={words.box} help={words.boxHelp} on={isBox} onChange={changeBox} />
          <Menu
            items={[
              {
                kind: 'check',
                label: words.log('x'),
                checked: look.logX,
                onChange: (logX) => setWish({ ...wish, logX }),
              },
              {
                kind: 'check',
                label: words.log('y'),
                checked: look.logY,
                onChange: (logY) => setWish({ ...wish, logY }),
              },
              {
                kind: 'check',
                label: words.pareto.hideDominated,
                checked: look.frontOnly,
                onChange: (frontOnly) => setWish({ ...wish, frontOnly }),
              },
            ]}
          >
            <IconButton size="sm" label={words.options} icon={<SlidersHorizontal aria-hidden className="size-4" />} />
          </Menu>
        </>
      }
    />
  );
}
