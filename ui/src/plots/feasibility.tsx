import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo } from 'react';
import { Button } from '@/components/Button';
import { percent } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import { known, type Reason, type Rule, reasonsOf, rulesOf } from './data/rules';
import type { PlotProps } from './registry';
import { select } from './selection';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { tip } from './tip';
import type { ChartEvents } from './useEchart';

function ruleWords(rule: Rule): string {
  return rule.conditions.map((condition) => condition.words).join(` ${words.feasibility.and} `);
}

type Api = { value: (n: number) => number; coord: (at: number[]) => number[] };

export function feasibilityOption(rules: readonly Rule[], base: number, theme: PlotTheme): EChartsCoreOption {
  return {
    grid: { left: 8, right: 84, top: 22, bottom: 40, containLabel: true },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      formatter: (params: { dataIndex: number }[]) => {
        const rule = rules[params[0]?.dataIndex ?? -1];
        if (!rule) return '';
        return tip(ruleWords(rule), [
          [words.feasibility.share, `${percent(rule.share)} (${percent(rule.low)} – ${percent(rule.high)})`],
          [words.slice.n, words.feasibility.support(rule.failed, rule.tried)],
        ]);
      },
    },
    xAxis: {
      type: 'value',
      min: 0,
      max: 1,
      name: words.feasibility.share,
      axisLabel: { formatter: (value: number) => percent(value) },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rules.map(ruleWords),
      axisLabel: { width: 240, overflow: 'break', lineHeight: 13, interval: 0, hideOverlap: false },
      axisTick: { show: false },
    },
    series: [
      {
        id: 'share',
        type: 'bar',
        barMaxWidth: 16,
        itemStyle: { color: theme.state.infeasible, opacity: 0.75 },
        data: rules.map(({ share }) => share),
        markLine: {
          silent: true,
          symbol: 'none',
          lineStyle: { color: theme.muted, type: [4, 4] },
          label: {
            formatter: words.feasibility.base(percent(base)),
            color: theme.muted,
            position: 'start',
            distance: 2,
          },
          data: [{ xAxis: base }],
        },
      },
      {
        id: 'interval',
        type: 'custom',
        silent: true,
        encode: { x: [1, 2], y: 0 },
        data: rules.map(({ low, high }, index) => [index, low, high]),
        clip: false,
        renderItem: (params: { coordSys: { x: number; width: number } }, api: Api) => {
          const [low = 0, y = 0] = api.coord([api.value(1), api.value(0)]);
          const [high = 0] = api.coord([api.value(2), api.value(0)]);
          const rule = rules[api.value(0)];
          const text = rule ? words.feasibility.support(rule.failed, rule.tried) : '';
          const x = params.coordSys.x + params.coordSys.width + 8;
          return {
            type: 'group',
            children: [
              {
                type: 'path',
                shape: { pathData: `M${low},${y - 4}V${y + 4}M${low},${y}H${high}M${high},${y - 4}V${y + 4}` },
                style: { stroke: theme.ink, lineWidth: 1.2, fill: 'none' },
              },
              {
                type: 'text',
                style: { x, y, text, fill: theme.muted, font: `11px ${theme.font}`, verticalAlign: 'middle' },
              },
            ],
          };
        },
      },
    ],
  };
}

export function feasibilityTable(rules: readonly Rule[], reasons: readonly Reason[]): PlotTable {
  const { feasibility } = words;
  return {
    columns: [feasibility.rule, feasibility.share, words.importance.low, words.importance.high, words.slice.n],
    rows: [
      ...rules.map((rule) => [
        ruleWords(rule),
        rule.share,
        rule.low,
        rule.high,
        feasibility.support(rule.failed, rule.tried),
      ]),
      ...reasons.map(({ reason, numbers }) => [`${feasibility.reasons}: ${reason}`, null, null, null, numbers.length]),
    ],
  };
}

/** What could not run and why, and the conditions under which that happens. */
export function Feasibility({ task, height = 320 }: PlotProps) {
  const reasons = useMemo(() => reasonsOf(task), [task]);
  const rules = useMemo(() => rulesOf(task), [task]);
  const tried = useMemo(() => known(task), [task]);
  const bad = tried.filter((point) => point.objective === null).length;
  const base = tried.length ? bad / tried.length : 0;
  const option = useCallback((theme: PlotTheme) => feasibilityOption(rules, base, theme), [rules, base]);
  const table = useMemo(() => feasibilityTable(rules, reasons), [rules, reasons]);
  const events = useMemo<ChartEvents>(
    () => ({
      click: (params: { dataIndex?: number }) => {
        const rule = rules[params.dataIndex ?? -1];
        if (rule) select(rule.numbers);
      },
    }),
    [rules],
  );
  const total = reasons.reduce((sum, { numbers }) => sum + numbers.length, 0);
  const note = total === 0 ? words.feasibility.none : rules.length ? words.feasibility.hint : words.feasibility.few;
  return (
    <Chart
      title={words.feasibility.title}
      description={words.feasibility.describe(total, task.points.length)}
      note={
        <span className="flex flex-wrap items-center gap-x-1">
          {reasons.map(({ reason, numbers }) => (
            <Button key={reason} size="sm" tone="quiet" onClick={() => select(numbers)}>
              {reason} {numbers.length}
            </Button>
          ))}
          {note}
        </span>
      }
      option={option}
      table={table}
      fileName={`${task.name}-feasibility`}
      height={Math.max(160, Math.min(height, 90 + rules.length * 36))}
      events={events}
      points={{ have: rules.length ? bad : Math.min(bad, 2), need: 3 }}
    />
  );
}
