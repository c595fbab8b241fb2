import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo, useState } from 'react';
import { useInsight } from '@/api/results';
import type { Importance } from '@/api/types';
import { percent } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { type AloneResult, alone, type Target } from './data/alone';
import type { PlotProps } from './registry';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { tip } from './tip';
import { Pick } from './tools';

/** Fewer measured experiments say nothing. As `FEWEST` in `crates/tuner-search/src/analysis/importance.rs`. */
const FEWEST = 4;
const MOST_BARS = 20;

export interface Bar {
  parameter: string;
  /** The server's share; absent for what only the page looks at. */
  share?: number;
  alone: number;
  low: number;
  high: number;
}

/** Parameters with what they matter, the most important first. */
export function barsOf(importance: Importance | null | undefined, found: AloneResult): Bar[] {
  const shares = new Map(importance?.shares.map((it) => [it.parameter, it.share]));
  const bars = found.parameters.map(({ parameter, value, low, high }) => {
    return { parameter, share: shares.get(parameter), alone: value, low, high };
  });
  return bars.sort((a, b) => (b.share ?? b.alone) - (a.share ?? a.alone));
}

type Api = { value: (n: number) => number; coord: (at: number[]) => number[] };

export function importanceOption(
  bars: readonly Bar[],
  interactions: number | undefined,
  isWeak: boolean,
  theme: PlotTheme,
): EChartsCoreOption {
  const shown = bars.slice(0, MOST_BARS);
  const names = shown.map(({ parameter }) => parameter);
  const hasShares = shown.some(({ share }) => share !== undefined);
  if (hasShares && interactions !== undefined) names.push(words.importance.interactions);
  const opacity = isWeak ? 0.4 : 1;
  const series: Record<string, unknown>[] = [];
  if (hasShares) {
    series.push({
      id: 'share',
      type: 'bar',
      name: words.importance.share,
      barMaxWidth: 16,
      itemStyle: { color: theme.series[0], opacity },
      data: [...shown.map(({ share }) => share ?? null), ...(interactions === undefined ? [] : [interactions])],
    });
  }
  series.push({
    id: 'alone',
    type: 'custom',
    name: words.importance.alone,
    itemStyle: { color: theme.series[1] },
    encode: { x: [1, 2, 3], y: 0 },
    data: shown.map(({ alone: value, low, high }, index) => [index, low, value, high]),
    renderItem: (_: unknown, api: Api) => {
      const y = api.value(0);
      const at = (n: number) => api.coord([api.value(n), y]);
      const [low = 0, middle = 0] = at(1);
      const [value = 0] = at(2);
      const [high = 0] = at(3);
      const whisker = `M${low},${middle - 4}V${middle + 4}M${low},${middle}H${high}M${high},${middle - 4}V${middle + 4}`;
      const stroke = theme.series[1];
      return {
        type: 'group',
        children: [
          { type: 'path', shape: { pathData: whisker }, style: { stroke, lineWidth: 1.5, fill: 'none', opacity } },
          { type: 'circle', shape: { cx: value, cy: middle, r: 4 }, style: { fill: stroke, opacity } },
        ],
      };
    },
  });
  return {
    grid: { left: 8, right: 24, top: 30, bottom: 40, containLabel: true },
    legend: { data: series.map(({ name }) => name), type: 'plain' },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      formatter: (params: { dataIndex: number; name: string }[]) => {
        const bar = shown[params[0]?.dataIndex ?? -1];
        if (!bar) return tip(params[0]?.name ?? '', [[words.importance.axis, percent(interactions)]]);
        return tip(bar.parameter, [
          bar.share === undefined ? null : [words.importance.share, percent(bar.share)],
          [words.importance.alone, `${percent(bar.alone)} (${percent(bar.low)} – ${percent(bar.high)})`],
        ]);
      },
    },
    xAxis: {
      type: 'value',
      min: 0,
      max: 1,
      name: words.importance.axis,
      axisLabel: { formatter: (v: number) => percent(v) },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: names,
      axisLabel: { width: 150, overflow: 'truncate', hideOverlap: false, interval: 0 },
      axisTick: { show: false },
    },
    series,
  };
}

export function importanceTable(bars: readonly Bar[]): PlotTable {
  const { importance } = words;
  return {
    columns: [importance.parameter, importance.share, importance.alone, importance.low, importance.high],
    rows: bars.map(({ parameter, share, alone: value, low, high }) => [parameter, share, value, low, high]),
  };
}

/** How much each parameter matters for the objective, for not being able to run, and for each SLO; and how sure that is. */
export function ImportancePlot({ task, height = 320 }: PlotProps) {
  const [target, setTarget] = useState<Target>('objective');
  const insight = useInsight(task.id);
  const found = useMemo(() => alone(task, target), [task, target]);
  const importance = target === 'objective' ? insight.data?.importance : undefined;
  const bars = useMemo(() => barsOf(importance, found), [importance, found]);
  const isWeak = importance ? importance.caution : found.n < Math.max(20, 3 * task.parameters.length);
  const option = useCallback(
    (theme: PlotTheme) => importanceOption(bars, importance?.interactions, isWeak, theme),
    [bars, importance, isWeak],
  );
  const table = useMemo(() => importanceTable(bars), [bars]);
  const choices = [
    { value: 'objective', label: words.importance.objective },
    { value: 'infeasible', label: words.importance.infeasible },
    ...task.limits.map((limit, at) => ({ value: `slo ${at}`, label: words.importance.slo(limit.label) })),
  ];
  const n = words.importance.measured(found.n);
  const caution = isWeak ? `${n} · ${words.importance.caution}` : n;
  return (
    <Chart
      title={words.importance.title}
      description={words.importance.describe(found.n, bars[0]?.parameter ?? '–')}
      note={found.varies || found.n < FEWEST ? caution : words.importance.constant}
      option={option}
      table={table}
      fileName={`${task.name}-importance`}
      height={Math.max(height, 110 + Math.min(bars.length, MOST_BARS) * 22)}
      points={{ have: task.parameters.length && found.varies ? found.n : 0, need: FEWEST }}
      tools={
        <Pick label={words.importance.of} value={target} choices={choices} onChange={(to) => setTarget(to as Target)} />
      }
    />
  );
}
