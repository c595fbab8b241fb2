import type { EChartsCoreOption } from 'echarts/core';
import { count, percent } from '@/format';
import type { PlotTable } from '@/plots/table';
import type { PlotTheme } from '@/plots/theme';
import { editor as words } from '@/text/editor';
import type { Bar, Lengths } from './lengths';

export interface Sides {
  input: Lengths | null;
  output: Lengths | null;
}

const range = ({ from, to }: Bar) => (from === to ? count(from) : `${count(from)} – ${count(to)}`);

/** Two histograms side by side, each with its own axis: prompts and answers differ by far. */
export function lengthsOption({ input, output }: Sides, theme: PlotTheme): EChartsCoreOption {
  const shown = [
    { name: words.workload.in, lengths: input, colour: theme.series[0] },
    { name: words.workload.out, lengths: output, colour: theme.series[1] },
  ].filter((side): side is typeof side & { lengths: Lengths } => side.lengths !== null);
  const width = shown.length === 2 ? '44%' : '92%';
  return {
    grid: shown.map((_, index) => ({ left: index === 0 ? 44 : '54%', width, top: 12, bottom: 42 })),
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, formatter: (at: unknown) => tooltip(at, shown) },
    xAxis: shown.map(({ name, lengths }, index) => ({
      gridIndex: index,
      type: 'category',
      name: words.workload.axis(name, count(lengths.mean), count(lengths.p99)),
      data: lengths.bars.map((bar) => count(Math.round((bar.from + bar.to) / 2))),
      axisTick: { show: false },
    })),
    yAxis: shown.map((_, index) => ({
      gridIndex: index,
      type: 'value',
      axisLabel: { formatter: (share: number) => percent(share, 2) },
      splitNumber: 3,
    })),
    series: shown.map(({ name, lengths, colour }, index) => ({
      name,
      type: 'bar',
      xAxisIndex: index,
      yAxisIndex: index,
      barCategoryGap: '8%',
      barMaxWidth: 40,
      itemStyle: { color: colour },
      data: lengths.bars.map((bar) => bar.share),
    })),
  };
}

function tooltip(at: unknown, shown: { name: string; lengths: Lengths }[]): string {
  const [point] = Array.isArray(at) ? (at as { seriesName: string; dataIndex: number }[]) : [];
  const side = shown.find(({ name }) => name === point?.seriesName);
  const bar = side?.lengths.bars[point?.dataIndex ?? -1];
  return side && bar ? words.workload.bar(side.name, range(bar), percent(bar.share, 3)) : '';
}

export function lengthsTable({ input, output }: Sides): PlotTable {
  const rows = (name: string, lengths: Lengths | null) =>
    lengths?.bars.map((bar) => [name, bar.from, bar.to, bar.share] as (string | number)[]) ?? [];
  return {
    columns: words.workload.tableColumns,
    rows: [...rows(words.workload.in, input), ...rows(words.workload.out, output)],
  };
}
