import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { tick } from '@/format';
import { plots } from '@/text/plots';
import { type Drawn, figuresOf, placeOf, type Stop, stepOf, stopsOf } from './cursor';
import type { ECharts } from './echarts';
import { clear, hover, onSelection, select, toggle, useSelected } from './selection';
import type { ChartEvents } from './useEchart';

interface Named {
  name?: string;
  data?: { name?: string } | null;
}

/** The experiment that an event of a chart is about: marks carry its number as their name. */
export function numberOf(params: Named): number | null {
  const found = Number(params.data?.name ?? params.name);
  return Number.isSafeInteger(found) && found > 0 ? found : null;
}

interface BoxSelected {
  batch?: { selected: { seriesIndex: number; dataIndex: number[] }[] }[];
}

interface Model {
  getModel: () => {
    getSeriesByIndex: (n: number) => { getData: () => { getName: (n: number) => string } } | undefined;
  };
}

/** The experiments in a box that was drawn over marks. */
function inBox({ batch }: BoxSelected, chart: ECharts): number[] {
  const model = (chart as unknown as Model).getModel();
  const found = (batch?.[0]?.selected ?? []).flatMap(({ seriesIndex, dataIndex }) => {
    const data = model.getSeriesByIndex(seriesIndex)?.getData();
    return dataIndex.flatMap((at) => numberOf({ name: data?.getName(at) }) ?? []);
  });
  return [...new Set(found)];
}

/** What a chart's option needs so that a box may be drawn. */
export const BOX = {
  brush: {
    toolbox: [],
    xAxisIndex: 0,
    yAxisIndex: 0,
    brushType: 'rect',
    throttleType: 'debounce',
    throttleDelay: 80,
    inBrush: {},
    // The selection fades the others, for this plot as for all.
    outOfBrush: {},
  },
};

/** What a chart does with keys, and what is read out then. */
export interface ChartKeys {
  said: string;
  onKeyDown: (event: KeyboardEvent) => void;
  onBlur: () => void;
}

/** A plot that is drawn anew loses what was lit; it is lit again once that is done, ms. */
const REDRAWN_MS = 60;

/** A cursor over the marks of a chart: left and right move it, Enter pins the experiment, Escape lets all go. */
function useKeys(chart: { current: ECharts | null }, selected: ReadonlySet<number>): ChartKeys {
  const [said, setSaid] = useState('');
  const cursor = useRef<Stop | null>(null);

  const light = useCallback(
    (stop: Stop) => {
      const shown = chart.current;
      if (!shown || shown.isDisposed()) return;
      shown.dispatchAction({ type: 'highlight', name: String(stop.number) });
      shown.dispatchAction({ type: 'showTip', seriesIndex: stop.series, dataIndex: stop.data });
    },
    [chart],
  );
  const leave = useCallback(() => {
    if (!cursor.current) return;
    cursor.current = null;
    hover(null);
    if (chart.current && !chart.current.isDisposed()) chart.current.dispatchAction({ type: 'hideTip' });
  }, [chart]);

  const onKeyDown = (event: KeyboardEvent) => {
    const shown = chart.current;
    if (!shown || shown.isDisposed() || event.ctrlKey || event.metaKey || event.altKey) return;
    const option = shown.getOption() as Drawn;
    const stops = stopsOf(option);
    const at = placeOf(stops, cursor.current);
    const tell = (place: number, selection: ReadonlySet<number>) => {
      const stop = stops[place];
      if (!stop) return;
      const parts = [plots.keysAt(stop.number, place + 1, stops.length), ...figuresOf(option, stop, tick)];
      setSaid([...parts, ...(selection.has(stop.number) ? [plots.keysSelected] : [])].join(', '));
    };
    const to = stepOf(event.key, at, stops.length);
    const [there, here] = [to === undefined ? undefined : stops[to], stops[at]];
    if (to !== undefined && there) {
      cursor.current = there;
      hover(there.number);
      light(there);
      tell(to, selected);
    } else if ((event.key === 'Enter' || event.key === ' ') && here) {
      toggle(here.number);
      const next = new Set(selected);
      if (!next.delete(here.number)) next.add(here.number);
      tell(at, next);
    } else if (event.key === 'Escape' && (cursor.current || selected.size > 0)) {
      leave();
      clear();
      setSaid(plots.keysCleared);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the selection has the plot drawn anew
  useEffect(() => {
    const timer = setTimeout(() => {
      const shown = chart.current;
      if (!cursor.current || !shown || shown.isDisposed()) return;
      const stops = stopsOf(shown.getOption() as Drawn);
      const stop = stops[placeOf(stops, cursor.current)];
      if (stop) light(stop);
    }, REDRAWN_MS);
    return () => clearTimeout(timer);
  }, [selected, light]);

  return { said, onKeyDown, onBlur: leave };
}

/**
 * Ties a chart to the selection of the page: the pointer is shown in every plot, a click pins an experiment or lets it go.
 * Give `events` and `onChart` to the chart, and `keys` where experiments are marks.
 */
export function useLinked() {
  const selected = useSelected();
  const chart = useRef<ECharts | null>(null);
  const onChart = useCallback((made: ECharts) => {
    chart.current = made;
    made.on('globalout', () => hover(null));
  }, []);
  const events = useMemo<ChartEvents>(
    () => ({
      click: (params: Named) => {
        const number = numberOf(params);
        if (number !== null) toggle(number);
      },
      brushSelected: (params: BoxSelected, made: ECharts) => {
        const numbers = inBox(params, made);
        if (numbers.length > 0) select(numbers);
      },
      mouseover: (params: Named) => hover(numberOf(params)),
      mouseout: () => hover(null),
    }),
    [],
  );
  useEffect(() => {
    let before: number | null = null;
    const act = (type: 'highlight' | 'downplay', number: number | null) => {
      const shown = chart.current;
      if (number !== null && shown && !shown.isDisposed()) shown.dispatchAction({ type, name: String(number) });
    };
    return onSelection(({ hovered }) => {
      if (hovered === before) return;
      act('downplay', before);
      act('highlight', hovered);
      before = hovered;
    });
  }, []);
  const [isBox, setBox] = useState(false);
  const changeBox = useCallback((on: boolean) => {
    const shown = chart.current;
    setBox(on);
    if (!shown || shown.isDisposed()) return;
    const brushOption = { brushType: on ? 'rect' : false, brushMode: 'single' };
    shown.dispatchAction({ type: 'takeGlobalCursor', key: 'brush', brushOption });
    if (!on) shown.dispatchAction({ type: 'brush', areas: [] });
  }, []);
  const keys = useKeys(chart, selected);
  return { selected, events, onChart, chart, isBox, changeBox, keys };
}
