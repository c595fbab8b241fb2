import { useCallback, useMemo, useRef, useState } from 'react';
import { useInsight } from '@/api/results';
import { Button } from '@/components/Button';
import { Menu } from '@/components/Menu';
import { taskPlots as words } from '@/text/taskPlots';
import { Chart } from './Chart';
import type { ECharts } from './echarts';
import {
  dimensionOf,
  linesOf,
  objectiveDimension,
  type ParallelLook,
  parallelOption,
  parallelTable,
} from './parallelOption';
import type { PlotProps } from './registry';
import { select } from './selection';
import type { PlotTheme } from './theme';
import { Pick, Pressed } from './tools';
import type { ChartEvents } from './useEchart';
import { useLinked } from './useLinked';

const TOPS = [1, 0.5, 0.25, 0.1, 0.05];
/** More axes than this cannot be read; the others are in the menu. */
const MOST_AXES = 10;

interface Brushable {
  getModel: () => { getSeriesByIndex: (n: number) => { getRawIndicesByActiveState?: (state: string) => number[] } };
}

/** Every parameter an axis, every experiment a line. A brush along axes selects what passes there. */
export function Parallel({ task, height = 340 }: PlotProps) {
  const [look, setLook] = useState<ParallelLook>({ top: 1, failures: false });
  const [hidden, setHidden] = useState<ReadonlySet<string> | null>(null);
  const [byImportance, setByImportance] = useState(false);
  const [brushed, setBrushed] = useState(false);
  const { selected, events, onChart, chart } = useLinked();
  const shares = useInsight(task.id).data?.importance?.shares;

  const names = useMemo(() => {
    if (!byImportance || !shares) return task.parameters;
    const share = new Map(shares.map((it) => [it.parameter, it.share]));
    return task.parameters.toSorted((a, b) => (share.get(b) ?? 0) - (share.get(a) ?? 0));
  }, [task.parameters, byImportance, shares]);
  const isHidden = useCallback(
    (name: string) => hidden?.has(name) ?? names.indexOf(name) >= MOST_AXES,
    [hidden, names],
  );
  const shown = useMemo(() => names.filter((name) => !isHidden(name)), [names, isHidden]);
  const points = useMemo(() => linesOf(task, look), [task, look]);
  const dimensions = useMemo(
    () => [
      ...shown.map((name) => dimensionOf(name, points, task.logarithmic.has(name))),
      objectiveDimension(task, points),
    ],
    [shown, points, task],
  );

  // What a brush selects must not be drawn as a selection while the brush is there: it fades the others itself.
  const drawn = brushed ? NONE : selected;
  const option = useCallback(
    (theme: PlotTheme) => parallelOption(task, points, dimensions, drawn, theme),
    [task, points, dimensions, drawn],
  );
  const table = useMemo(() => parallelTable(task, points, shown), [task, points, shown]);
  const latest = useRef(points);
  latest.current = points;

  const allEvents = useMemo<ChartEvents>(
    () => ({
      ...events,
      axisareaselected: (_: never, made: ECharts) => {
        const series = (made as unknown as Brushable).getModel().getSeriesByIndex(0);
        const active = series.getRawIndicesByActiveState?.('active') ?? [];
        const isBrush = active.length > 0;
        setBrushed(isBrush);
        select(active.flatMap((index) => latest.current[index]?.number ?? []));
      },
    }),
    [events],
  );
  const clear = () => {
    const made = chart.current;
    dimensions.forEach((_, index) => {
      made?.dispatchAction({ type: 'axisAreaSelect', parallelAxisIndex: index, intervals: [] });
    });
    setBrushed(false);
    select([]);
  };
  const toggleAxis = (name: string, isShown: boolean) => {
    const next = new Set(names.filter(isHidden));
    if (isShown) next.delete(name);
    else next.add(name);
    setHidden(next);
  };

  return (
    <Chart
      title={words.parallel.title}
      description={words.parallel.describe(points.length, dimensions.length)}
      note={words.parallel.brush}
      option={option}
      table={table}
      fileName={`${task.name}-parallel`}
      height={height}
      events={allEvents}
      onChart={onChart}
      points={{ have: task.parameters.length ? points.length : 0, need: 2 }}
      tools={
        <>
          {brushed && (
            <Button size="sm" tone="quiet" onClick={clear}>
              {words.parallel.clear}
            </Button>
          )}
          <Pick
            label={words.parallel.top}
            value={String(look.top)}
            choices={TOPS.map((top) => ({
              value: String(top),
              label: top === 1 ? words.parallel.all : words.parallel.topShare(top * 100),
            }))}
            onChange={(top) => setLook({ ...look, top: Number(top) })}
          />
          <Pressed
            label={words.parallel.failures}
            on={look.failures}
            onChange={(failures) => setLook({ ...look, failures })}
          />
          <Menu
            items={[
              {
                kind: 'check',
                label: words.parallel.byImportance,
                checked: byImportance,
                disabled: !shares,
                onChange: setByImportance,
              },
              { kind: 'line' },
              ...names.map((name) => ({
                kind: 'check' as const,
                label: name,
                checked: !isHidden(name),
                onChange: (isShown: boolean) => toggleAxis(name, isShown),
              })),
            ]}
          >
            <Button size="sm" tone="plain">
              {words.parallel.axes}
            </Button>
          </Menu>
        </>
      }
    />
  );
}

const NONE: ReadonlySet<number> = new Set();
