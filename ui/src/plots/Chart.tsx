import type { EChartsCoreOption } from 'echarts/core';
import { Download, Expand, Shrink, Table2 } from 'lucide-react';
import { type ReactNode, useId, useMemo, useRef, useState } from 'react';
import { IconButton } from '@/components/Button';
import { cx } from '@/components/cx';
import { Menu } from '@/components/Menu';
import { ErrorView } from '@/components/States';
import { plots } from '@/text/plots';
import type { ECharts } from './echarts';
import { baseOption } from './option';
import { fromDataUrl, saveFile } from './save';
import { TableTwin } from './TableTwin';
import { TooFew } from './TooFew';
import { type PlotTable, toCsv } from './table';
import { type PlotTheme, usePlotTheme } from './theme';
import { type ChartEvents, toSvg, useEchart } from './useEchart';
import type { ChartKeys } from './useLinked';

export interface ChartProps {
  title: string;
  /** What the plot shows, in one or two sentences with its main figures: for those who do not see it. */
  description: string;
  /** Small words beside the title. */
  note?: ReactNode;
  /** The echarts option. Keep it with `useCallback`: a new function draws anew. */
  option: (theme: PlotTheme) => EChartsCoreOption;
  table: PlotTable;
  /** Name of saved files, without ending. */
  fileName: string;
  height?: number;
  events?: ChartEvents;
  onChart?: (chart: ECharts) => void;
  /** For plots whose marks are experiments: how keys go over them. */
  keys?: ChartKeys;
  /** Controls of this plot, left of the common ones. */
  tools?: ReactNode;
  /** Below `need` points nothing is drawn, and why is said. */
  points?: { have: number; need: number };
  className?: string;
}

/** The frame of every plot: title, table twin, files, full screen, and the plot itself. */
export function Chart(props: ChartProps) {
  const { title, description, table, fileName, height = 280, points } = props;
  const theme = usePlotTheme();
  const frame = useRef<HTMLElement>(null);
  const id = useId();
  const [asTable, setAsTable] = useState(false);
  const [full, setFull] = useState(false);
  const chart = useRef<ECharts | null>(null);
  const option = useMemo(() => baseOption(props.option(theme), theme), [props.option, theme]);
  const tooFew = points !== undefined && points.have < points.need;

  const savePng = () => {
    const address = chart.current?.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: theme.surface });
    if (address) saveFile(`${fileName}.png`, fromDataUrl(address));
  };
  const saveSvg = async () => {
    const [width, tall] = [chart.current?.getWidth() ?? 900, chart.current?.getHeight() ?? 400];
    const filled = { ...option, backgroundColor: theme.surface };
    saveFile(`${fileName}.svg`, await toSvg(filled, width, tall), 'image/svg+xml');
  };
  const saveCsv = () => saveFile(`${fileName}.csv`, toCsv(table), 'text/csv');
  const toggleFull = async () => {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await frame.current?.requestFullscreen().catch(() => {});
  };
  const onFull = () => setFull(document.fullscreenElement === frame.current);

  return (
    <section
      ref={(element) => {
        frame.current = element;
        element?.addEventListener('fullscreenchange', onFull);
        return () => element?.removeEventListener('fullscreenchange', onFull);
      }}
      aria-labelledby={id}
      className={cx(
        'flex min-w-0 flex-col rounded-lg border border-line bg-surface',
        full && 'h-full rounded-none',
        props.className,
      )}
    >
      <header className="flex min-h-10 flex-wrap items-center gap-x-2 gap-y-1 border-b border-line px-3 py-1">
        <h3 id={id} className="min-w-0 truncate text-sm font-semibold">
          {title}
        </h3>
        {props.note !== undefined && <span className="text-xs text-faint">{props.note}</span>}
        <div className="ml-auto flex flex-wrap items-center gap-1">
          {!tooFew && props.tools}
          <IconButton
            size="sm"
            label={asTable ? plots.chart : plots.table}
            aria-pressed={asTable}
            icon={<Table2 aria-hidden className="size-4" />}
            onClick={() => setAsTable(!asTable)}
          />
          <Menu
            items={[
              { label: plots.png, disabled: asTable || tooFew, onSelect: savePng },
              { label: plots.svg, disabled: tooFew, onSelect: () => void saveSvg() },
              { label: plots.csv, onSelect: saveCsv },
            ]}
          >
            <IconButton size="sm" label={plots.exportMenu} icon={<Download aria-hidden className="size-4" />} />
          </Menu>
          <IconButton
            size="sm"
            className="hidden sm:inline-flex"
            label={full ? plots.leaveFullScreen : plots.fullScreen}
            icon={full ? <Shrink aria-hidden className="size-4" /> : <Expand aria-hidden className="size-4" />}
            onClick={() => void toggleFull()}
          />
        </div>
      </header>
      {asTable ? (
        <TableTwin table={table} label={title} />
      ) : tooFew ? (
        <TooFew have={points.have} need={points.need} />
      ) : (
        <Drawing
          label={`${title}. ${description}`}
          option={option}
          height={full ? undefined : height}
          events={props.events}
          keys={props.keys}
          onChart={(made) => {
            chart.current = made;
            props.onChart?.(made);
          }}
        />
      )}
    </section>
  );
}

interface DrawingProps {
  label: string;
  option: EChartsCoreOption;
  height?: number;
  events?: ChartEvents;
  keys?: ChartKeys;
  onChart: (chart: ECharts) => void;
}

function Drawing({ label, option, height, events, keys, onChart }: DrawingProps) {
  const box = useRef<HTMLDivElement>(null);
  const hint = useId();
  const { chart, failed } = useEchart(box, { option, events, onChart });
  if (failed) return <ErrorView error={failed} />;
  const drawing = (
    <div
      ref={box}
      role="img"
      aria-label={label}
      tabIndex={keys ? undefined : 0}
      aria-busy={chart === null}
      className="min-h-0 w-full flex-1 focus-visible:-outline-offset-2"
      style={{ minHeight: height }}
    />
  );
  if (!keys) return drawing;
  return (
    <div
      role="application"
      aria-label={label}
      aria-describedby={hint}
      tabIndex={0}
      onKeyDown={keys.onKeyDown}
      onBlur={keys.onBlur}
      className="relative flex min-h-0 w-full flex-1 flex-col focus-visible:-outline-offset-2"
    >
      {drawing}
      <p id={hint} className="sr-only">
        {plots.keysHint}
      </p>
      <p aria-live="polite" className="sr-only">
        {keys.said}
      </p>
    </div>
  );
}
