import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ECharts } from './echarts';
import { hover, onSelection, select, toggle, useSelected } from './selection';
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

/**
 * Ties a chart to the selection of the page: the pointer is shown in every plot, a click pins an experiment or lets it go.
 * Give `events` and `onChart` to the chart.
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
  return { selected, events, onChart, chart, isBox, changeBox };
}
