import { useEffect, useRef } from 'react';
import type uPlot from 'uplot';
import { number, tick } from '@/format';
import { SERIES_DASH, usePlotTheme } from './theme';

export interface LiveLine {
  label: string;
  values: (number | null)[];
}

interface LiveSeriesProps {
  /** What it shows, for those who do not see it. */
  label: string;
  /** Moments in seconds: since 1970, or since a beginning when `relative`. */
  at: number[];
  lines: LiveLine[];
  unit?: string;
  relative?: boolean;
  height?: number;
  /** Ends of the value axis; without them it fits. */
  range?: [number, number];
}

/** Figures that grow while one looks: many points, drawn fast. */
export function LiveSeries({ label, at, lines, unit = '', relative, height = 140, range }: LiveSeriesProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useRef<uPlot.AlignedData>([at, ...lines.map((line) => line.values)]);
  const theme = usePlotTheme();
  const names = lines.map((line) => line.label).join('\n');
  const [low, high] = range ?? [];

  useEffect(() => {
    data.current = [at, ...lines.map((line) => line.values)];
    plot.current?.setData(data.current);
  }, [at, lines]);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let wanted = true;
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    void Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: UPlot }]) => {
      if (!wanted) return;
      const axis: uPlot.Axis = {
        stroke: theme.muted,
        grid: { stroke: theme.line, width: 1 },
        ticks: { stroke: theme.line, width: 1 },
        font: `11px ${theme.font}`,
      };
      const values = (_: uPlot, ticks: number[]) => ticks.map((value) => tick(value));
      const series = names.split('\n').map((name, index) => ({
        label: name,
        stroke: theme.series[index % 8],
        dash: dash(index),
        width: 1.5,
        points: { show: false },
        value: (_: uPlot, value: number | null) => (value === null ? '–' : `${number(value)} ${unit}`),
      }));
      plot.current = new UPlot(
        {
          width: element.clientWidth,
          height,
          legend: { show: true, live: true },
          scales: { x: { time: !relative }, y: low === undefined || high === undefined ? {} : { range: [low, high] } },
          axes: [
            { ...axis, ...(relative ? { values } : {}) },
            { ...axis, values, size: 56 },
          ],
          series: [{ label: relative ? 's' : '' }, ...series],
        },
        data.current,
        element,
      );
      resize.observe(element);
    });
    return () => {
      wanted = false;
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [theme, names, unit, relative, height, low, high]);

  return <div ref={box} role="img" aria-label={label} className="w-full min-w-0 text-xs" />;
}

function dash(index: number): number[] | undefined {
  const wanted = SERIES_DASH[index % SERIES_DASH.length];
  return Array.isArray(wanted) ? wanted : undefined;
}
