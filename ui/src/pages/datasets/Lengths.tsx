import { useCallback, useMemo } from 'react';
import type { LengthSpread } from '@/api/datasets';
import { count, number } from '@/format';
import { Chart } from '@/plots/Chart';
import { lengthsOption, lengthsTable } from '@/plots/lengths';
import type { PlotTheme } from '@/plots/theme';
import { datasets as text } from '@/text/datasets';

interface LengthsProps {
  title: string;
  spread: LengthSpread | null;
  /** Said where nothing is known. */
  none: string;
  unit?: string;
}

/** How lengths are spread: a histogram with its figures. */
export function Lengths({ title, spread, none, unit = text.tokens }: LengthsProps) {
  const option = useCallback((theme: PlotTheme) => (spread ? lengthsOption(spread, unit, theme) : {}), [spread, unit]);
  const table = useMemo(() => (spread ? lengthsTable(spread, unit) : { columns: [], rows: [] }), [spread, unit]);
  if (!spread) {
    return (
      <section className="space-y-1">
        <h3 className="font-medium">{title}</h3>
        <p className="text-faint">{none}</p>
      </section>
    );
  }
  const [p50, p99, max] = [number(spread.p50), number(spread.p99), number(spread.max)];
  return (
    <div className="space-y-1">
      <Chart
        title={title}
        note={`p50 ${p50}, p90 ${number(spread.p90)}, p99 ${p99}`}
        description={text.histogramOf(title, p50, p99, max)}
        option={option}
        table={table}
        fileName={title.toLowerCase().replaceAll(' ', '-')}
        height={170}
      />
      <p className="text-xs text-faint">
        {text.spread(count(spread.known), number(spread.mean), number(spread.sd))}
        {spread.unknown > 0 && `; ${text.unknown(count(spread.unknown))}`}
      </p>
    </div>
  );
}
