/** Lengths of a data set's prompts or answers as a histogram whose bars grow by equal factors. */
import type { EChartsCoreOption } from 'echarts/core';
import type { LengthSpread } from '@/api/datasets';
import { count } from '@/format';
import { datasets as text } from '@/text/datasets';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';

/** Ends of each bar, both within it. */
export function bars(spread: LengthSpread): { from: number; to: number; count: number }[] {
  return spread.histogram.map(([to, n], index) => {
    const before = spread.histogram[index - 1]?.[0];
    return { from: before === undefined ? spread.min : before + 1, to, count: n };
  });
}

export function lengthsOption(spread: LengthSpread, unit: string, theme: PlotTheme): EChartsCoreOption {
  const all = bars(spread);
  return {
    grid: { left: 52, right: 8, top: 12, bottom: 40 },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, valueFormatter: (value: number) => count(value) },
    xAxis: { type: 'category', name: unit, data: all.map(({ from, to }) => text.bar(from, to)) },
    yAxis: { type: 'value', name: text.requests, minInterval: 1 },
    series: [
      {
        type: 'bar',
        name: text.requests,
        data: all.map((bar) => bar.count),
        barCategoryGap: '8%',
        itemStyle: { color: theme.series[0] },
      },
    ],
  };
}

export function lengthsTable(spread: LengthSpread, unit: string): PlotTable {
  return {
    columns: [`${text.from} (${unit})`, `${text.upTo} (${unit})`, text.requests],
    rows: bars(spread).map((bar) => [bar.from, bar.to, bar.count]),
  };
}
