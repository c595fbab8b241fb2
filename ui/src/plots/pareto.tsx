import { useQueries } from '@tanstack/react-query';
import type { EChartsCoreOption } from 'echarts/core';
import { SlidersHorizontal } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { measurementsQuery } from '@/api/experiments';
import type { Measurement } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Menu } from '@/components/Menu';
import { configurationLine, interval, number, percent } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { endsOf, findQuantity, isWide, limitOn, numberOf, type Quantity, quantities, tradeAxes } from './data/axes';
import { type Better, front, staircase, type Traded } from './data/front';
import { plain } from './data/measured';
import type { PlotTask, Point } from './data/points';
import { outline, type Spread, type Spreads, spreadOf } from './data/spread';
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

/** How far each point of the front is known; only those of which something is. */
export function spreadsOf(
  task: PlotTask,
  { front: kept, x, y }: Trade,
  measurements: ReadonlyMap<number, readonly Measurement[] | undefined> = new Map(),
): Map<number, Spreads> {
  const spreads = kept.map(({ point }) => {
    const of = (quantity: Quantity) => spreadOf(task, point, quantity, measurements.get(point.number));
    return [point.number, { x: of(x), y: of(y) }] as const;
  });
  return new Map(spreads.filter(([, spread]) => spread.x || spread.y));
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

const NOTHING: ReadonlyMap<number, Spreads> = new Map();

export function paretoOption(
  task: PlotTask,
  trade: Trade,
  look: ParetoLook,
  marked: Marked,
  theme: PlotTheme,
  spreads = NOTHING,
): EChartsCoreOption {
  const kept = new Set(trade.front.map(({ number: it }) => it));
  const shown = look.frontOnly
    ? trade.points.filter(({ number: it }) => kept.has(it) || it === task.baseline || marked.selected.has(it))
    : trade.points;
  const outlines = trade.front.flatMap((point) => {
    const spread = spreads.get(point.number);
    return spread ? [{ number: point.number, line: outline(point, spread) }] : [];
  });
  const reached = (at: 0 | 1, values: number[], log: boolean) => {
    const known = outlines.flatMap(({ line }) => line.map((one) => one[at]));
    // An interval that reaches down to nothing would squeeze everything else on a logarithmic axis.
    const least = Math.min(...values) / 3;
    return [...values, ...(log ? known.filter((value) => value > least) : known)];
  };
  const xs = reached(
    0,
    shown.map(({ x }) => x),
    look.logX,
  );
  const ys = reached(
    1,
    shown.map(({ y }) => y),
    look.logY,
  );
  const at = new Map(shown.map(({ point, x, y }) => [point, [x, y] as [number, number]]));
  const series = stateSeries(
    shown.map(({ point }) => point),
    (point) => at.get(point) ?? null,
    marked,
    theme,
  );
  return {
    grid: { left: 64, right: 28, top: 38, bottom: 44 },
    legend: {
      left: 60,
      data: [
        ...stateLegend(series),
        { name: words.pareto.front, icon: 'roundRect' },
        ...(outlines.length ? [{ name: words.pareto.spread, icon: 'emptyCircle' }] : []),
      ],
    },
    tooltip: pointTooltip(task, (point) => [
      ...[trade.x, trade.y].map((it) => [it.label, figureWords(numberOf(it.of(point)), it.unit, it.isShare)] as const),
      ...spreadRows(trade, spreads.get(point.number)),
    ]),
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
      ...(outlines.length ? [outlineSeries(outlines, look, marked, theme)] : []),
      ...series,
    ],
  };
}

type Api = { coord: (at: readonly number[]) => number[] };

/** Logarithmic axes end where numbers are positive: what reaches below goes down to the border. */
const LEAST = 1e-9;

function outlineSeries(
  outlines: readonly { number: number; line: [number, number][] }[],
  look: ParetoLook,
  marked: Marked,
  theme: PlotTheme,
) {
  const onAxes = ([x, y]: [number, number]): [number, number] => [
    look.logX ? Math.max(x, LEAST) : x,
    look.logY ? Math.max(y, LEAST) : y,
  ];
  const ends = (line: [number, number][], at: 0 | 1) => {
    const values = line.map((one) => onAxes(one)[at]);
    return [Math.min(...values), Math.max(...values)];
  };
  return {
    id: 'spread',
    type: 'custom',
    name: words.pareto.spread,
    silent: true,
    clip: true,
    z: 1,
    itemStyle: { color: theme.accent },
    encode: { x: [0, 1], y: [2, 3] },
    data: outlines.map(({ line }) => [...ends(line, 0), ...ends(line, 1)]),
    renderItem: ({ dataIndex }: { dataIndex: number }, api: Api) => {
      const { number: it, line } = outlines[dataIndex] ?? { number: 0, line: [] };
      const isFaded = marked.selected.size > 0 && !marked.selected.has(it);
      const points = line.map((one) => api.coord(onAxes(one)));
      const style = { stroke: theme.accent, lineWidth: 1, opacity: isFaded ? 0.25 : 0.8 };
      const children =
        points.length === 2
          ? [{ type: 'path', shape: { pathData: barOf(points) }, style: { ...style, fill: 'none' } }]
          : [
              {
                type: 'polygon',
                shape: { points },
                style: { fill: theme.accent, opacity: isFaded ? 0.03 : 0.12 },
              },
              { type: 'polygon', shape: { points }, style: { ...style, fill: 'none' } },
            ];
      return { type: 'group', children };
    },
  };
}

/** A line between two places with a cap at each end. */
function barOf([from, to]: number[][]): string {
  const [x1 = 0, y1 = 0] = from ?? [];
  const [x2 = 0, y2 = 0] = to ?? [];
  const caps =
    Math.abs(x1 - x2) > Math.abs(y1 - y2)
      ? `M${x1},${y1 - 4}V${y1 + 4}M${x2},${y2 - 4}V${y2 + 4}`
      : `M${x1 - 4},${y1}H${x1 + 4}M${x2 - 4},${y2}H${x2 + 4}`;
  return `M${x1},${y1}L${x2},${y2}${caps}`;
}

/** What an interval is and where it comes from. */
export function spreadWords({ from, n = 0, confidence }: Spread): string {
  const { sources } = words.pareto;
  if (confidence === undefined) return from === 'within' ? sources.within : words.pareto.ends[from];
  return words.pareto.confident(percent(confidence), from === 'within' ? sources.within : sources[from](n));
}

function spreadRows(trade: Trade, spreads: Spreads | undefined): (readonly [string, string])[] {
  if (!spreads) return [];
  return (['x', 'y'] as const).flatMap((at) => {
    const [{ label, unit, isShare }, spread] = [trade[at], spreads[at]];
    if (!spread) return [];
    const factor = isShare ? 100 : 1;
    return [
      [
        words.pareto.spreadOf(label),
        interval(spread.low * factor, spread.high * factor, isShare ? '%' : unit),
      ] as const,
      [words.pareto.spreadFrom, spreadWords(spread)] as const,
    ];
  });
}

export function paretoTable(trade: Trade, spreads = NOTHING): PlotTable {
  const kept = new Set(trade.front.map(({ number: it }) => it));
  const head = ({ label, unit }: Quantity) => (unit ? `${label} (${unit})` : label);
  const sides = (['x', 'y'] as const).filter((at) => [...spreads.values()].some((one) => one[at]));
  return {
    columns: [
      words.number,
      words.state,
      head(trade.x),
      head(trade.y),
      words.pareto.front,
      ...sides.flatMap((at) => {
        const { label } = trade[at];
        return [words.pareto.low(label), words.pareto.high(label), words.pareto.from(label)];
      }),
      words.configuration,
    ],
    rows: trade.points.map(({ point, x, y }) => [
      point.number,
      stateWord(point.state),
      x,
      y,
      kept.has(point.number) ? words.pareto.front : '',
      ...sides.flatMap((at) => {
        const spread = spreads.get(point.number)?.[at];
        return [spread?.low, spread?.high, spread ? spreadWords(spread) : ''];
      }),
      configurationLine(point.configuration) || words.defaults,
    ]),
  };
}

const DECIDING = 'deciding';

/** Of so many on the front the measurements are read, for what they know of themselves. */
const MOST_READ = 24;

/** How far the points of the front are known. Measurements are read only where runs and repeats say nothing. */
function useSpreads(task: PlotTask, trade: Trade | undefined) {
  const unknown = useMemo(() => {
    if (!trade) return [];
    const known = spreadsOf(task, trade);
    const wants = (number: number, at: 'x' | 'y') => trade[at].measured && !known.get(number)?.[at];
    const numbers = trade.front.map((one) => one.number);
    return numbers.filter((number) => wants(number, 'x') || wants(number, 'y')).slice(0, MOST_READ);
  }, [task, trade]);
  const read = useQueries({ queries: unknown.map((number) => measurementsQuery(task.id, number)), combine: plain });
  const spreads = useMemo(
    () => (trade ? spreadsOf(task, trade, new Map(unknown.map((number, at) => [number, read[at]]))) : NOTHING),
    [task, trade, unknown, read],
  );
  return { spreads, isReading: read.some((one) => one === undefined) };
}

/** Two figures against each other with their front, the SLOs, and what meets them. */
export function Pareto({ task, x, y, onAxes, height = 320 }: PlotProps) {
  const [own, setOwn] = useState<{ x?: string; y?: string }>({});
  const [level, setLevel] = useState(DECIDING);
  const [wish, setWish] = useState<Partial<ParetoLook>>({});
  const { selected, events, onChart, isBox, changeBox, keys } = useLinked();
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
  const { spreads, isReading } = useSpreads(task, trade);
  const option = useCallback(
    (theme: PlotTheme) => (trade ? paretoOption(task, trade, look, markedOf(task, selected), theme, spreads) : {}),
    [task, trade, look, selected, spreads],
  );
  const table = useMemo(() => (trade ? paretoTable(trade, spreads) : { columns: [], rows: [] }), [trade, spreads]);
  const kept = trade?.front.length ?? 0;
  const about = words.pareto.describe(trade?.points.length ?? 0, kept, onX?.label ?? '', onY?.label ?? '');
  const description = spreads.size > 0 ? `${about} ${words.pareto.describeSpread(spreads.size)}` : about;
  const isSaid = kept > 0 && (spreads.size > 0 || !isReading);
  const note = !task.hasReport ? words.waitsForReport : isSaid ? words.pareto.known(spreads.size, kept) : undefined;
  const choose = (axes: { x?: string; y?: string }) => (onAxes ? onAxes(axes) : setOwn({ ...own, ...axes }));
  const choices = choicesOf(all);
  const levels = [...new Map(task.points.flatMap((it) => it.levels.map((l) => [l.level, l.label])))];
  return (
    <Chart
      title={words.pareto.title}
      description={description}
      note={note}
      option={option}
      table={table}
      fileName={`${task.name}-trade-off`}
      height={height}
      events={events}
      onChart={onChart}
      keys={keys}
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
