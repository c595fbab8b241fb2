import type { EChartsCoreOption } from 'echarts/core';
import { type RefObject, useEffect, useRef, useState } from 'react';
import type { ECharts } from './echarts';

export type ChartEvents = Record<string, (params: never, chart: ECharts) => void>;

interface Wanted {
  option: EChartsCoreOption | null;
  events?: ChartEvents;
  onChart?: (chart: ECharts) => void;
}

/**
 * Draws an option into an element and keeps it in step: resized with its element, redrawn without losing zoom or brush when
 * the option changes.
 */
export function useEchart(box: RefObject<HTMLDivElement | null>, { option, events, onChart }: Wanted) {
  const [chart, setChart] = useState<ECharts | null>(null);
  const [failed, setFailed] = useState<Error | null>(null);
  const latest = useRef({ events, onChart });
  useEffect(() => {
    latest.current = { events, onChart };
  });

  useEffect(() => {
    let made: ECharts | null = null;
    let wanted = true;
    const element = box.current;
    const resize = new ResizeObserver(() => made?.resize());
    import('./echarts')
      .then(({ init }) => {
        if (!wanted || !element) return;
        made = init(element, null, { renderer: 'canvas' });
        resize.observe(element);
        latest.current.onChart?.(made);
        setChart(made);
      })
      .catch((error) => wanted && setFailed(error));
    return () => {
      wanted = false;
      resize.disconnect();
      made?.dispose();
      setChart(null);
    };
  }, [box]);

  useEffect(() => {
    if (!chart || !option) return;
    try {
      chart.setOption({ animation: false, ...option }, { replaceMerge: ['series'], lazyUpdate: true });
      setFailed(null);
    } catch (error) {
      setFailed(error as Error);
    }
  }, [chart, option]);

  const names = Object.keys(events ?? {}).join();
  useEffect(() => {
    if (!chart || !names) return;
    const handlers = names.split(',').map((name) => {
      const handler = (params: unknown) => latest.current.events?.[name]?.(params as never, chart);
      chart.on(name, handler);
      return [name, handler] as const;
    });
    return () => {
      if (chart.isDisposed()) return;
      for (const [name, handler] of handlers) chart.off(name, handler);
    };
  }, [chart, names]);

  return { chart, failed };
}

/** The same plot as SVG text. */
export async function toSvg(option: EChartsCoreOption, width: number, height: number): Promise<string> {
  const { init } = await import('./echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({ animation: false, ...option });
  const text = chart.renderToSVGString();
  chart.dispose();
  return text;
}
