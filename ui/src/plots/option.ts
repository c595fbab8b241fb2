import type { EChartsCoreOption } from 'echarts/core';
import { tick } from '@/format';
import type { PlotTheme } from './theme';

const asList = (value: unknown): Record<string, unknown>[] =>
  value === undefined ? [] : ((Array.isArray(value) ? value : [value]) as Record<string, unknown>[]);

/** An axis in the look of the page: hairlines, small muted figures. What the plot says goes before. */
function axis(given: Record<string, unknown>, theme: PlotTheme): Record<string, unknown> {
  const part = (name: string, base: object) => ({ ...base, ...(given[name] as object | undefined) });
  const isNumber = given.type === undefined || given.type === 'value' || given.type === 'log';
  const figures = isNumber ? { formatter: (value: number) => tick(value) } : {};
  return {
    nameTextStyle: { color: theme.muted, fontSize: 11 },
    nameGap: 26,
    nameLocation: 'middle',
    ...given,
    axisLine: part('axisLine', { show: true, lineStyle: { color: theme.edge } }),
    axisTick: part('axisTick', { lineStyle: { color: theme.edge } }),
    axisLabel: part('axisLabel', { color: theme.muted, fontSize: 11, hideOverlap: true, ...figures }),
    splitLine: part('splitLine', { lineStyle: { color: theme.line, width: 1 } }),
  };
}

/** The common look below what a plot says. */
export function baseOption(given: EChartsCoreOption, theme: PlotTheme): EChartsCoreOption {
  const text = { color: theme.ink, fontFamily: theme.font, fontSize: 12 };
  return {
    color: theme.series,
    backgroundColor: 'transparent',
    textStyle: text,
    grid: { left: 56, right: 16, top: 16, bottom: 44 },
    ...given,
    ...(given.xAxis ? { xAxis: asList(given.xAxis).map((one) => axis(one, theme)) } : {}),
    ...(given.yAxis ? { yAxis: asList(given.yAxis).map((one) => axis({ nameGap: 42, ...one }, theme)) } : {}),
    tooltip: {
      confine: true,
      backgroundColor: theme.raised,
      borderColor: theme.line,
      padding: [6, 8],
      textStyle: text,
      ...(given.tooltip as object | undefined),
    },
    ...(given.legend
      ? {
          legend: {
            type: 'scroll',
            top: 0,
            itemWidth: 12,
            itemHeight: 8,
            textStyle: { color: theme.muted, fontSize: 11 },
            ...(given.legend as object),
          },
        }
      : {}),
  };
}
