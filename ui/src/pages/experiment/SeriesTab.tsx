import { useMemo, useState } from 'react';
import { useSeries } from '@/api/experiments';
import type { Series } from '@/api/types';
import { Panel } from '@/components/Card';
import { Empty, Loaded } from '@/components/States';
import { number } from '@/format';
import { LiveSeries } from '@/plots/LiveSeries';
import { Pick } from '@/plots/tools';
import { experiment as words } from '@/text/experiment';
import { enginePlots, GPU_QUANTITIES, gpuPlot, type SeriesPlot } from './seriesLines';

const keyOf = ({ attempt, level, repeat }: Series) => `${attempt}/${level}/${repeat}`;

function nameOf(series: Series, isOnlyAttempt: boolean): string {
  const repeat = series.repeat ? ` · ${words.repeat(series.repeat + 1)}` : '';
  const attempt = isOnlyAttempt ? '' : `${words.attempt(series.attempt)}: `;
  return `${attempt}${series.label}${repeat}`;
}

/** What the engine and its GPUs showed of themselves, level by level. */
export function SeriesTab({ task, number: n, isOpen }: { task: string; number: number; isOpen: boolean }) {
  const series = useSeries(task, n);
  const empty = <Empty title={words.noSeries} text={isOpen ? words.seriesYet : words.noSeriesHint} />;
  const has = (list: Series[]) => list.some((one) => one.points.length > 0 || one.gpus.length > 0);
  return (
    <Loaded of={series} isEmpty={(list) => !has(list)} empty={empty}>
      {(list) => <Shown list={list.filter((one) => one.points.length > 0 || one.gpus.length > 0)} />}
    </Loaded>
  );
}

/** The one with most to see. */
function longest(list: readonly Series[]): Series | undefined {
  const size = (one: Series) => Math.max(one.points.length, ...one.gpus.map((gpu) => gpu.points.length));
  return [...list].sort((a, b) => size(b) - size(a))[0];
}

function Shown({ list }: { list: Series[] }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = list.find((one) => keyOf(one) === chosen) ?? longest(list);
  const isOnlyAttempt = new Set(list.map((one) => one.attempt)).size === 1;
  const plots = useMemo(() => {
    if (!shown) return [];
    const engine = enginePlots(shown, words);
    const gpus = GPU_QUANTITIES.flatMap((quantity) => gpuPlot(shown, quantity, words.gpuName) ?? []);
    return [...engine, ...gpus];
  }, [shown]);
  if (!shown) return null;
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap items-center gap-3">
        <Pick
          label={words.chooseMeasurement}
          value={keyOf(shown)}
          choices={list.map((one) => ({ value: keyOf(one), label: nameOf(one, isOnlyAttempt) }))}
          onChange={setChosen}
        />
        {shown.source && <span className="text-xs text-faint">{words.source(shown.source)}</span>}
      </div>
      <div className="grid gap-3 xl:grid-cols-2">
        {plots.map((plot) => (
          <OnePlot key={plot.key} plot={plot} />
        ))}
      </div>
    </div>
  );
}

const TITLES: Record<string, string> = { rate: words.rate, batch: words.batch, kv: words.kv, ...words.gpu };

function spreadOf(values: readonly (number | null)[], unit = ''): string {
  const known = values.filter((value) => value !== null);
  const mean = known.reduce((sum, value) => sum + value, 0) / (known.length || 1);
  const shown = (value: number) => `${number(value)}${unit ? ` ${unit}` : ''}`;
  return words.spread(shown(Math.min(...known)), shown(mean), shown(Math.max(...known)));
}

function OnePlot({ plot }: { plot: SeriesPlot }) {
  const title = TITLES[plot.key] ?? plot.key;
  const told = plot.lines.map((line) => `${line.label}: ${spreadOf(line.values, plot.unit)}`);
  return (
    <Panel
      title={title}
      level={3}
      note={plot.lines.length === 1 ? spreadOf(plot.lines[0]?.values ?? [], plot.unit) : undefined}
    >
      {plot.at.length < 2 ? (
        <p className="text-muted">
          {words.onePoint} {told.join('; ')}
        </p>
      ) : (
        <LiveSeries
          label={`${title}. ${told.join('; ')}`}
          at={plot.at}
          lines={plot.lines}
          unit={plot.unit}
          range={plot.range}
          relative
          height={160}
        />
      )}
    </Panel>
  );
}
