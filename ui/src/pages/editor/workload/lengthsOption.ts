import type { EChartsCoreOption } from 'echarts/core';
import { count, percent } from '@/format';
import type { PlotTable } from '@/plots/table';
import type { PlotTheme } from '@/plots/theme';
import { editor as words } from '@/text/editor';
import type { Bar, Lengths } from './lengths';

const range = ({ from, to }: Bar) => (from === to ? count(from) : `${count(from)} – ${count(to)}`);

/** Shares of requests by their length. */
export function lengthsOption(
  { bars }: Lengths,
  colour: (theme: PlotTheme) => string | undefined,
  theme: PlotTheme,
): EChartsCoreOption {
  return {
    grid: { left: 48, right: 12, top: 10, bottom: 40 },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      formatter: (at: unknown) => {
        const [point] = Array.isArray(at) ? (at as { dataIndex: number }[]) : [];
        const bar = bars[point?.dataIndex ?? -1];
        return bar ? words.workload.bar(range(bar), percent(bar.share, 3)) : '';
      },
    },
    xAxis: {
      type: 'category',
      name: words.workload.tokens,
      data: bars.map((bar) => count(Math.round((bar.from + bar.to) / 2))),
      axisTick: { show: false },
    },
    yAxis: { type: 'value', axisLabel: { formatter: (share: number) => percent(share, 2) }, splitNumber: 3 },
    series: {
      type: 'bar',
      barCategoryGap: '8%',
      barMaxWidth: 40,
      itemStyle: { color: colour(theme) },
      data: bars.map((bar) => bar.share),
    },
  };
}

export function lengthsTable({ bars }: Lengths): PlotTable {
  return { columns: words.workload.tableColumns, rows: bars.map((bar) => [bar.from, bar.to, bar.share]) };
}
