import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo } from 'react';
import type { PhaseName } from '@/events';
import { dateTime, duration, timeOfDay } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import type { PlotTask } from './data/points';
import { type Lane, lanesOf, type Span, spansOf, wholeSpans } from './data/spans';
import type { PlotProps } from './registry';
import type { PlotTable } from './table';
import type { PlotTheme } from './theme';
import { tip } from './tip';
import { useLinked } from './useLinked';
import { usePhases } from './usePhases';

const PHASES: (PhaseName | 'whole')[] = ['provision', 'loading', 'ready', 'warm_up', 'level', 'stopping', 'whole'];
/** Height of each phase as a share of its lane: phases differ by height as well as by colour. */
const HEIGHTS: Record<Span['phase'], number> = {
  provision: 0.25,
  loading: 0.5,
  ready: 0.5,
  warm_up: 0.7,
  level: 0.85,
  stopping: 0.25,
  whole: 0.7,
};

function colours(theme: PlotTheme): Record<Span['phase'], string> {
  const [blue = '', orange = '', green = '', pink = '', olive = '', teal = '', grey = ''] = theme.series;
  return { provision: grey, loading: orange, ready: olive, warm_up: pink, level: blue, stopping: teal, whole: green };
}

type Api = { value: (n: number) => number; coord: (at: number[]) => number[]; size: (of: number[]) => number[] };

export function timelineOption(
  task: PlotTask,
  spans: readonly Span[],
  { lanes, laneOf }: { lanes: Lane[]; laneOf: Map<number, number> },
  selected: ReadonlySet<number>,
  now: number,
  theme: PlotTheme,
): EChartsCoreOption {
  const colour = colours(theme);
  const shown = PHASES.filter((phase) => spans.some((span) => span.phase === phase));
  const byNumber = new Map(task.points.map((point) => [point.number, point]));
  const label = ({ level }: Span) => {
    const found = level === undefined ? undefined : task.points.find((it) => it.levels.length)?.levels;
    return found?.find((it) => it.level === level)?.label ?? (level === undefined ? '' : `${words.level} ${level}`);
  };
  return {
    grid: { left: 8, right: 20, top: 30, bottom: 62, containLabel: true },
    legend: { data: shown.map((phase) => ({ name: words.timeline.phases[phase], icon: 'rect' })) },
    tooltip: {
      formatter: (params: { data?: { span: Span } }) => {
        const span = params.data?.span;
        if (!span) return '';
        const point = byNumber.get(span.number);
        return tip(words.experiment(span.number), [
          [words.timeline.phase, `${words.timeline.phases[span.phase]} ${label(span)}`],
          [words.elapsed, duration(((span.to ?? now) - span.from) / 1000)],
          [words.timeline.start, dateTime(span.from)],
          span.worker ? [words.timeline.worker, span.worker] : null,
          point?.failure ? [words.failure, point.failure.class] : null,
        ]);
      },
    },
    dataZoom: [
      { type: 'inside', filterMode: 'weakFilter' },
      { type: 'slider', height: 16, bottom: 8, filterMode: 'weakFilter', showDetail: false, brushSelect: false },
    ],
    xAxis: { type: 'time', axisLabel: { formatter: (value: number) => timeOfDay(value) }, splitLine: { show: true } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: lanes.map(({ name }, at) => name || words.timeline.lane(at + 1)),
      axisLabel: { width: 130, overflow: 'truncate' },
      axisTick: { show: false },
    },
    series: shown.map((phase) => ({
      id: phase,
      type: 'custom',
      name: words.timeline.phases[phase],
      itemStyle: { color: colour[phase] },
      progressive: 0,
      encode: { x: [1, 2], y: 0 },
      data: spans
        .filter((span) => span.phase === phase)
        .map((span) => ({
          name: String(span.number),
          value: [laneOf.get(span.number) ?? 0, span.from, span.to ?? now],
          span,
          itemStyle: { opacity: selected.size === 0 || selected.has(span.number) ? 0.9 : 0.2 },
        })),
      renderItem: (_: unknown, api: Api & { style: () => object }) => {
        const [left = 0, middle = 0] = api.coord([api.value(1), api.value(0)]);
        const [right = 0] = api.coord([api.value(2), api.value(0)]);
        const lane = Math.min(48, api.size([0, 1])[1] ?? 0);
        const height = lane * HEIGHTS[phase];
        return {
          type: 'rect',
          shape: { x: left, y: middle - height / 2, width: Math.max(1, right - left), height },
          style: api.style(),
          emphasis: { style: { stroke: theme.ink, lineWidth: 1 } },
        };
      },
    })),
  };
}

export function timelineTable(spans: readonly Span[]): PlotTable {
  const { timeline } = words;
  return {
    columns: [words.number, timeline.phase, words.level, timeline.start, timeline.end, words.elapsed, timeline.worker],
    rows: spans.map(({ number, phase, level, from, to, worker }) => [
      number,
      timeline.phases[phase],
      level,
      new Date(from).toISOString(),
      to === null ? null : new Date(to).toISOString(),
      to === null ? null : (to - from) / 1000,
      worker,
    ]),
  };
}

/** When each experiment was in which phase, by worker. */
export function Timeline({ task, height = 260 }: PlotProps) {
  const phases = usePhases(task.id);
  const { selected, events, onChart } = useLinked();
  const { spans, lanes, now } = useMemo(() => {
    const wanted = new Set(task.points.map(({ number }) => number));
    const told = spansOf(phases.events).filter(({ number }) => wanted.has(number));
    const known = new Set(told.map(({ number }) => number));
    const all = [...told, ...wholeSpans(task.points, known)];
    // Times of a simulated task run ahead of the clock, so what lasts ends no earlier than anything that was seen.
    const latest = Math.max(...all.map(({ from, to }) => to ?? from), 0);
    const at = task.points.some(({ state }) => state === 'open') ? Math.max(latest, Date.now()) : latest;
    return { spans: all, lanes: lanesOf(all, at), now: at };
  }, [task.points, phases.events]);
  const option = useCallback(
    (theme: PlotTheme) => timelineOption(task, spans, lanes, selected, now, theme),
    [task, spans, lanes, selected, now],
  );
  const table = useMemo(() => timelineTable(spans), [spans]);
  const note = phases.error ? words.timeline.noPhases : phases.isPresent ? undefined : words.timeline.reading;
  return (
    <Chart
      title={words.timeline.title}
      description={words.timeline.describe(task.points.length, lanes.lanes.length)}
      note={note}
      option={option}
      table={table}
      fileName={`${task.name}-timeline`}
      height={Math.max(Math.min(height, 170), 120 + lanes.lanes.length * 34)}
      events={events}
      onChart={onChart}
      points={{ have: spans.length, need: 1 }}
    />
  );
}
