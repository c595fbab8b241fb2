import { useCallback, useEffect, useMemo, useRef } from 'react';
import type { ECharts } from './echarts';
import { hover, onSelection, toggle, useSelected } from './selection';
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
  return { selected, events, onChart, chart };
}
