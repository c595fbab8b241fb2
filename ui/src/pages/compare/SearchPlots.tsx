import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo } from 'react';
import { number, objectiveName, percent, unitOf } from '@/format';
import { Chart } from '@/plots/Chart';
import type { PlotTable } from '@/plots/table';
import { type PlotTheme, SERIES_DASH, SERIES_SYMBOL } from '@/plots/theme';
import { Pressed } from '@/plots/tools';
import { compare as words } from '@/text/compare';
import { bestSoFar, reach, type Search } from './progress';

interface Lines {
  searches: readonly Search[];
  isRelative: boolean;
}

const axisName = ({ searches, isRelative }: Lines) => {
  const [first] = searches;
  if (isRelative || !first) return `${words.history.relative} (%)`;
  const unit = unitOf(first.objective.metric);
  return `${objectiveName(first.objective)}${unit ? ` (${unit})` : ''}`;
};

function line(name: string, index: number, data: [number, number][], theme: PlotTheme, more: object) {
  return {
    type: 'line',
    id: `${index}`,
    name,
    data,
    symbol: SERIES_SYMBOL[index % SERIES_SYMBOL.length],
    symbolSize: 4,
    showSymbol: data.length <= 30,
    lineStyle: { width: 2, type: SERIES_DASH[index % SERIES_DASH.length], color: theme.series[index % 8] },
    itemStyle: { color: theme.series[index % 8] },
    ...more,
  };
}

/** Long names are cut in the legend; the table has them whole. */
const legendOf = (searches: readonly Search[]) => ({
  data: searches.map(({ name }) => name),
  formatter: (name: string) => (name.length > 28 ? `${name.slice(0, 27)}…` : name),
});

const FRAME = { grid: { left: 64, right: 20, top: 34, bottom: 44 } };

/** Best so far of several searches on one pair of axes. */
export function bestSoFarOption(lines: Lines, theme: PlotTheme): EChartsCoreOption {
  const { searches, isRelative } = lines;
  return {
    ...FRAME,
    legend: legendOf(searches),
    xAxis: { type: 'value', name: words.history.x, min: 1, minInterval: 1 },
    yAxis: { type: 'value', name: axisName(lines), scale: true },
    tooltip: { trigger: 'axis', valueFormatter: (value: number) => number(value) },
    series: searches.map((search, index) =>
      line(search.name, index, extended(bestSoFar(search, isRelative), search.values.length), theme, { step: 'end' }),
    ),
  };
}

/** A search that found nothing better to its end keeps its best until there. */
function extended(line: [number, number][], last: number): [number, number][] {
  const end = line.at(-1);
  return end && end[0] < last ? [...line, [last, end[1]]] : line;
}

/** For each value the share of experiments that are at least as good. */
export function reachOption(lines: Lines, theme: PlotTheme): EChartsCoreOption {
  const { searches, isRelative } = lines;
  return {
    ...FRAME,
    legend: legendOf(searches),
    xAxis: { type: 'value', name: axisName(lines), scale: true },
    yAxis: {
      type: 'value',
      name: words.edf.y,
      min: 0,
      max: 1,
      axisLabel: { formatter: (share: number) => percent(share, 3) },
    },
    tooltip: { trigger: 'axis', valueFormatter: (share: number) => percent(share, 3) },
    series: searches.map((search, index) =>
      line(search.name, index, reach(search, isRelative), theme, { step: 'start' }),
    ),
  };
}

export function tableOf(
  lines: Lines,
  of: (search: Search) => [number, number][],
  columns: [string, string],
): PlotTable {
  return {
    columns: [words.task, ...columns],
    rows: lines.searches.flatMap((search) => of(search).map(([x, y]) => [search.name, x, y])),
  };
}

interface SearchPlotsProps {
  searches: readonly Search[];
  /** Values of different objectives are not drawn on one axis. */
  hasOneObjective: boolean;
  isRelative: boolean;
  onRelative: (isRelative: boolean) => void;
}

/** How the searches of several tasks went. */
export function SearchPlots({ searches, hasOneObjective, isRelative, onRelative }: SearchPlotsProps) {
  const lines = useMemo(() => ({ searches, isRelative }), [searches, isRelative]);
  const best = useCallback((theme: PlotTheme) => bestSoFarOption(lines, theme), [lines]);
  const share = useCallback((theme: PlotTheme) => reachOption(lines, theme), [lines]);
  const names = searches.map(({ name }) => name).join(', ');
  const measured = Math.max(0, ...searches.map(({ values }) => values.filter(({ value }) => value !== null).length));
  const tools = hasOneObjective && <Pressed label={words.history.relative} on={isRelative} onChange={onRelative} />;
  return (
    <div className="grid gap-3 xl:grid-cols-2">
      <Chart
        title={words.history.title}
        description={words.history.describe(names)}
        option={best}
        table={tableOf(lines, (search) => bestSoFar(search, isRelative), [words.history.x, axisName(lines)])}
        fileName="compare-best-so-far"
        points={{ have: measured, need: 2 }}
        tools={tools}
      />
      <Chart
        title={words.edf.title}
        description={words.edf.describe(names)}
        option={share}
        table={tableOf(lines, (search) => reach(search, isRelative), [axisName(lines), words.edf.y])}
        fileName="compare-reach"
        points={{ have: measured, need: 2 }}
        tools={tools}
      />
    </div>
  );
}
