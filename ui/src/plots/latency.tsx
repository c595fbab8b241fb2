import { useQueries } from '@tanstack/react-query';
import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo, useState } from 'react';
import { measurementsQuery } from '@/api/experiments';
import type { Measurement, Metric } from '@/api/types';
import { milliseconds, number } from '@/format';
import { metrics } from '@/text/common';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { isTime, type Limit } from './data/objective';
import { fromNines, nines, type PercentilePoint, percentilesOf } from './data/percentiles';
import type { PlotProps } from './registry';
import type { PlotTable } from './table';
import { type PlotTheme, SERIES_DASH, SERIES_SYMBOL } from './theme';
import { tip } from './tip';
import { Pick, Pressed } from './tools';
import { useLinked } from './useLinked';

/** So many lines stay readable. */
const MOST = 6;
const METRICS: Metric[] = ['ttft', 'tpot', 'e2e_latency', 'itl'];

export interface LatencyLine {
  number: number;
  name: string;
  at: PercentilePoint[];
}

const percentileWord = (place: number) => `p${Number(fromNines(place).toPrecision(6))}`;

export function latencyOption(
  lines: readonly LatencyLine[],
  metric: Metric,
  limits: readonly Limit[],
  log: boolean,
  theme: PlotTheme,
): EChartsCoreOption {
  const mine = limits.filter((limit) => limit.metric === metric);
  const ticks = [0, nines(50), 1, 2, 3, 4];
  return {
    grid: { left: 64, right: 24, top: 30, bottom: 44 },
    legend: { data: lines.map(({ name }) => name) },
    tooltip: {
      formatter: (params: { seriesName?: string; data?: { name?: string; value: number[] } }) => {
        const [place = 0, value] = params.data?.value ?? [];
        return tip(params.seriesName ?? '', [[percentileWord(place), milliseconds(value)]]);
      },
    },
    xAxis: {
      type: 'value',
      name: words.latency.percentile,
      min: 0,
      max: Math.max(2, ...lines.flatMap(({ at }) => at.map(({ percentile }) => nines(percentile)))),
      axisLabel: { customValues: ticks, formatter: percentileWord },
      axisTick: { customValues: ticks },
      splitLine: { show: false },
    },
    yAxis: {
      type: log ? 'log' : 'value',
      name: `${metrics[metric]} (ms)`,
      scale: log,
      axisLabel: { formatter: (value: number) => number(value) },
    },
    series: [
      ...lines.map(({ number: it, name, at }, index) => ({
        id: `line ${it}`,
        type: 'line',
        name,
        symbol: SERIES_SYMBOL[index % 8],
        symbolSize: 5,
        lineStyle: { color: theme.series[index % 8], width: 2, type: SERIES_DASH[index % 8] },
        itemStyle: { color: theme.series[index % 8] },
        data: at.map(({ percentile, value }) => ({ name: String(it), value: [nines(percentile), value] })),
      })),
      {
        id: 'slo',
        type: 'scatter',
        name: 'SLO',
        silent: true,
        symbol: 'rect',
        symbolSize: [22, 3],
        itemStyle: { color: theme.bad },
        data: mine.flatMap(({ stat, value, label }) => {
          const percentile = /^p([\d.]+)$/.exec(stat)?.[1];
          if (percentile === undefined) return [];
          const shown = { show: true, formatter: label, position: 'top', color: theme.bad, fontSize: 11 };
          return [{ value: [nines(Number(percentile)), value], label: shown }];
        }),
        markLine: {
          silent: true,
          symbol: 'none',
          lineStyle: { color: theme.bad, type: [5, 3], width: 1, opacity: 0.6 },
          label: { show: false },
          data: mine.map(({ value }) => ({ yAxis: value })),
        },
      },
    ],
  };
}

export function latencyTable(lines: readonly LatencyLine[], metric: Metric): PlotTable {
  return {
    columns: [words.number, words.latency.percentile, `${metrics[metric]} (ms)`],
    rows: lines.flatMap(({ name, at }) => at.map(({ percentile, value }) => [name, `p${percentile}`, value])),
  };
}

/** Percentile curves of the best, the baseline and the selected at one level, with the SLO. */
export function Latency({ task, x, height = 300 }: PlotProps) {
  const { selected, events, onChart } = useLinked();
  const levels = useMemo(() => {
    const found = new Map(task.points.flatMap((point) => point.levels.map((it) => [it.level, it.label] as const)));
    return [...found].sort((a, b) => a[0] - b[0]);
  }, [task.points]);
  const asked = METRICS.find((metric) => x === metric || x?.startsWith(`${metric}_`));
  const [metric, setMetric] = useState<Metric>(
    asked ?? task.limits.find((limit) => isTime(limit.metric))?.metric ?? 'ttft',
  );
  const decides = task.points.find((point) => point.number === (task.best ?? task.baseline))?.level ?? 0;
  const [chosen, setLevel] = useState<number | null>(null);
  const level = chosen ?? decides;
  const [log, setLog] = useState(true);
  const numbers = useMemo(() => {
    const first = [task.best, task.baseline].filter((it) => it !== null);
    const wanted = [...new Set([...first, ...selected])];
    const there = new Set(task.points.filter((point) => point.levels.length).map((point) => point.number));
    return wanted.filter((it) => there.has(it)).slice(0, MOST);
  }, [task, selected]);
  const read = useQueries({ queries: numbers.map((it) => measurementsQuery(task.id, it)), combine });
  const lines = useMemo<LatencyLine[]>(
    () =>
      numbers.flatMap((it, index) => {
        const measured = read[index];
        if (!measured) return [];
        const at = percentilesOf(measured, metric, level);
        const role = it === task.best ? `${words.best} ` : it === task.baseline ? `${words.baseline} ` : '';
        return at.length ? [{ number: it, name: `${role}#${it}`, at }] : [];
      }),
    [numbers, read, metric, level, task.best, task.baseline],
  );
  const option = useCallback(
    (theme: PlotTheme) => latencyOption(lines, metric, task.limits, log, theme),
    [lines, metric, task.limits, log],
  );
  const table = useMemo(() => latencyTable(lines, metric), [lines, metric]);
  const label = levels.find(([at]) => at === level)?.[1] ?? '';
  const who = lines.map(({ name }) => name).join(', ');
  return (
    <Chart
      title={words.latency.title}
      description={words.latency.describe(metrics[metric] ?? metric, label, who)}
      note={
        selected.size > MOST - 2 ? words.latency.most(MOST - 2) : selected.size === 0 ? words.latency.choose : undefined
      }
      option={option}
      table={table}
      fileName={`${task.name}-latency-${metric}`}
      height={height}
      events={events}
      onChart={onChart}
      points={{ have: lines.length, need: 1 }}
      tools={
        <>
          <Pick
            label={words.latency.metric}
            value={metric}
            choices={[...new Set([metric, ...METRICS])].map((it) => ({ value: it, label: metrics[it] ?? it }))}
            onChange={(to) => setMetric(to as Metric)}
          />
          {levels.length > 1 && (
            <Pick
              label={words.pareto.level}
              value={String(level)}
              choices={levels.map(([at, name]) => ({ value: String(at), label: name }))}
              onChange={(to) => setLevel(Number(to))}
            />
          )}
          <Pressed label={words.log('y')} on={log} onChange={setLog} />
        </>
      }
    />
  );
}

/** What was read of each, stable while nothing new comes. */
function combine(results: { data?: { measurement: Measurement }[] }[]) {
  return results.map(({ data }) => data?.map(({ measurement }) => measurement));
}
