import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo, useState } from 'react';
import { number, withUnit } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { columnLabel, endsOf, findQuantity, isWide, limitOn, quantities, tradeAxes } from './data/axes';
import { curveKeys, curvesOf, type Curve as Line, ranked } from './data/curve';
import type { Limit } from './data/objective';
import type { PlotTask } from './data/points';
import type { PlotProps } from './registry';
import type { PlotTable } from './table';
import { type PlotTheme, SERIES_DASH, SERIES_SYMBOL } from './theme';
import { tip } from './tip';
import { Pick, Pressed } from './tools';
import { useLinked } from './useLinked';

/** So many lines behind those that stand in front. */
const OTHERS = 60;

export interface CurveLook {
  latency: { key: string; label: string; unit: string };
  throughput: { key: string; label: string; unit: string };
  limit: Limit | undefined;
  logX: boolean;
}

function nameOf(task: PlotTask, { point }: Line): string {
  const role = point.number === task.best ? words.best : point.number === task.baseline ? words.baseline : '';
  return role ? `${role} #${point.number}` : `#${point.number}`;
}

type Api = { value: (n: number) => number; coord: (at: number[]) => number[] };

/** The others are one series of thin lines: a series for each would be slow. */
function background(others: readonly Line[], theme: PlotTheme, isFaded: boolean) {
  return {
    id: 'others',
    type: 'custom',
    name: words.curve.others,
    z: 1,
    itemStyle: { color: theme.edge },
    // The ends tell the axes how far the lines reach.
    encode: { x: [1, 2], y: [3, 4] },
    data: others.map(({ point, at }, index) => {
      const latencies = at.map(({ latency }) => latency);
      const rates = at.map(({ throughput }) => throughput);
      const ends = [Math.min(...latencies), Math.max(...latencies), Math.min(...rates), Math.max(...rates)];
      return { name: String(point.number), value: [index, ...ends] };
    }),
    renderItem: (_: unknown, api: Api) => {
      const line = others[api.value(0)];
      if (!line) return null;
      const points = line.at.map(({ latency, throughput }) => api.coord([latency, throughput]));
      return {
        type: 'polyline',
        shape: { points },
        style: { stroke: theme.edge, lineWidth: 1, opacity: isFaded ? 0.2 : 0.4, fill: 'none' },
        emphasis: { style: { stroke: theme.ink, lineWidth: 2, opacity: 1, fill: 'none' } },
      };
    },
  };
}

function foreground(task: PlotTask, line: Line, colour: number, look: CurveLook, theme: PlotTheme) {
  const name = nameOf(task, line);
  const { point, at, knee, highest } = line;
  return {
    id: `line ${point.number}`,
    type: 'line',
    name,
    symbol: SERIES_SYMBOL[colour % 8],
    symbolSize: 7,
    z: 4,
    lineStyle: { color: theme.series[colour % 8], width: 2, type: SERIES_DASH[colour % 8] },
    itemStyle: { color: theme.series[colour % 8] },
    data: at.map(({ latency, throughput, label, holds }, index) => ({
      name: String(point.number),
      value: [latency, throughput],
      level: label,
      holds,
      itemStyle: holds ? undefined : { opacity: 0.45 },
      label: {
        show: index === knee || index === highest || index === at.length - 1,
        formatter: index === knee ? `${label} ${words.curve.knee}` : label,
        position: 'right',
        distance: 8,
        color: theme.ink,
        fontSize: 10,
      },
    })),
    markPoint:
      highest === null || !look.limit
        ? undefined
        : {
            symbol: 'circle',
            symbolSize: 15,
            silent: true,
            itemStyle: { color: 'transparent', borderColor: theme.ok, borderWidth: 2 },
            label: { show: false },
            data: [{ coord: [at[highest]?.latency, at[highest]?.throughput] }],
          },
  };
}

export function curveOption(
  task: PlotTask,
  curves: readonly Line[],
  look: CurveLook,
  selected: ReadonlySet<number>,
  theme: PlotTheme,
): EChartsCoreOption {
  const { front, others } = ranked(curves, task, selected, OTHERS);
  const lines = front.map((line, index) => foreground(task, line, index, look, theme));
  const axis = ({ label, unit }: CurveLook['latency']) => `${label} (${unit})`;
  const format = (value: number) => number(value);
  const latencies = [...front, ...others].flatMap(({ at }) => at.map(({ latency }) => latency));
  return {
    grid: { left: 64, right: 28, top: 38, bottom: 44 },
    legend: { left: 60, data: lines.map((line) => ({ name: line.name, icon: line.symbol })) },
    tooltip: {
      trigger: 'item',
      formatter: (params: { name?: string; data?: { value: number[]; level?: string; holds?: boolean } }) => {
        const { data } = params;
        const title = words.experiment(Number(params.name));
        if (!data?.level) return tip(title, []);
        const [latency, throughput] = data.value;
        return tip(`${title} · ${data.level}`, [
          [look.throughput.label, withUnit(throughput, look.throughput.unit)],
          [look.latency.label, withUnit(latency, look.latency.unit)],
          data.holds ? [words.pareto.feasible, ''] : null,
        ]);
      },
    },
    dataZoom: [{ type: 'inside', xAxisIndex: 0, filterMode: 'none' }],
    xAxis: {
      type: look.logX ? 'log' : 'value',
      name: axis(look.latency),
      scale: true,
      ...endsOf(latencies, look.limit?.value, look.logX),
      axisLabel: { formatter: format, showMinLabel: !look.logX, showMaxLabel: false },
    },
    yAxis: { type: 'value', name: axis(look.throughput), axisLabel: { formatter: format } },
    series: [
      background(others, theme, selected.size > 0),
      ...lines,
      {
        id: 'slo',
        type: 'line',
        data: [],
        silent: true,
        markLine: look.limit && {
          silent: true,
          symbol: 'none',
          lineStyle: { color: theme.bad, type: [5, 3], width: 1 },
          label: {
            formatter: look.limit.label,
            color: theme.bad,
            fontSize: 11,
            position: 'end',
            rotate: 0,
            align: 'right',
            distance: 3,
          },
          data: [{ xAxis: look.limit.value }],
        },
      },
    ],
  };
}

export function curveTable(curves: readonly Line[], look: CurveLook): PlotTable {
  const head = ({ label, unit }: CurveLook['latency']) => `${label} (${unit})`;
  return {
    columns: [words.number, words.level, head(look.throughput), head(look.latency), words.pareto.feasible, words.state],
    rows: curves.flatMap(({ point, at, knee, highest }) =>
      at.map((one, index) => [
        point.number,
        one.label,
        one.throughput,
        one.latency,
        one.holds ? '✓' : '✗',
        [index === knee && words.curve.knee, index === highest && words.curve.holds].filter(Boolean).join(', '),
      ]),
    ),
  };
}

/** One line for each configuration over its levels, with its knee and the highest load within the SLOs. */
export function Curve({ task, x, y, onAxes, height = 320 }: PlotProps) {
  const [own, setOwn] = useState<{ x?: string; y?: string }>({});
  const [wantsLog, setLogX] = useState<boolean>();
  const { selected, events, onChart, keys: cursor } = useLinked();
  const keys = useMemo(() => curveKeys(task), [task]);
  const all = useMemo(() => quantities(task), [task]);
  const usual = tradeAxes(task);
  const pick = (wanted: string | undefined, known: string[], otherwise: string) => {
    const found = findQuantity(all, wanted)?.id;
    return found && known.includes(found) ? found : known.includes(otherwise) ? otherwise : (known[0] ?? otherwise);
  };
  const wanted = onAxes ? { x, y } : { x: own.x ?? x, y: own.y ?? y };
  const [latency, throughput] = [pick(wanted.x, keys.times, usual.x), pick(wanted.y, keys.rates, usual.y)];
  const curves = useMemo(
    () => curvesOf(task, latency, throughput).filter(({ at }) => at.length > 1),
    [task, latency, throughput],
  );
  const logX = wantsLog ?? isWide(curves.flatMap(({ at }) => at.map((one) => one.latency)));
  const look = useMemo<CurveLook>(() => {
    const of = (key: string) => {
      const column = task.columns.find((it) => it.key === key);
      return { key, label: column ? columnLabel(column) : key, unit: column?.unit ?? '' };
    };
    return { latency: of(latency), throughput: of(throughput), limit: limitOn(task.limits, latency), logX };
  }, [task, latency, throughput, logX]);
  const option = useCallback(
    (theme: PlotTheme) => curveOption(task, curves, look, selected, theme),
    [task, curves, look, selected],
  );
  const table = useMemo(() => curveTable(curves, look), [curves, look]);
  const choose = (axes: { x?: string; y?: string }) => (onAxes ? onAxes(axes) : setOwn({ ...own, ...axes }));
  const choices = (known: string[]) =>
    task.columns.filter(({ key }) => known.includes(key)).map((it) => ({ value: it.key, label: it.label }));
  const { front, others } = ranked(curves, task, selected, OTHERS);
  const counted = curves.length
    ? words.curve.drawn(front.length + others.length, curves.length)
    : task.points.some((point) => point.levels.length > 0)
      ? words.curve.needsLevels
      : '';
  const note = task.hasReport ? counted : words.waitsForReport;
  return (
    <Chart
      title={words.curve.title}
      description={words.curve.describe(curves.length)}
      note={note || undefined}
      option={option}
      table={table}
      fileName={`${task.name}-throughput-latency`}
      height={height}
      events={events}
      onChart={onChart}
      keys={cursor}
      points={{ have: curves.length, need: 1 }}
      tools={
        <>
          <Pick
            label={words.curve.latency}
            value={latency}
            choices={choices(keys.times)}
            onChange={(to) => choose({ x: to })}
          />
          <Pick
            label={words.curve.throughput}
            value={throughput}
            choices={choices(keys.rates)}
            onChange={(to) => choose({ y: to })}
          />
          <Pressed label={words.log('x')} on={logX} onChange={setLogX} />
        </>
      }
    />
  );
}
