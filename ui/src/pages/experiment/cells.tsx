import { Check, TriangleAlert } from 'lucide-react';
import type { Measurement, Metric, SloResult } from '@/api/types';
import { cx } from '@/components/cx';
import { duration, figure, NONE, number, percent } from '@/format';
import { experiment as words } from '@/text/experiment';
import type { FigureCell } from './levelRows';

const SHARES: ReadonlySet<Metric> = new Set(['error_rate', 'attainment']);

/** A figure, and below it the interval that is known of it. */
export function Figure({ metric, cell, isMean }: { metric: Metric; cell: FigureCell; isMean: boolean }) {
  const { value, low, high, confidence } = cell;
  const factor = SHARES.has(metric) ? 100 : 1;
  return (
    <>
      <span className={value === undefined ? 'text-faint' : 'whitespace-nowrap'}>{figure(metric, value)}</span>
      {low !== undefined && high !== undefined && (
        <span
          title={words.rangeHelp(percent(confidence), isMean ? words.mean : words.percentile)}
          className="block whitespace-nowrap text-xs font-normal text-faint"
        >
          {words.range(number(low * factor), number(high * factor))}
        </span>
      )}
    </>
  );
}

export function ValidityCell({ measurement }: { measurement: Measurement }) {
  const { validity } = measurement;
  if (validity.verdict === 'valid') {
    return (
      <span className="inline-flex items-center gap-1 text-ok">
        <Check aria-hidden className="size-3.5" />
        {words.valid}
      </span>
    );
  }
  return (
    <span className="text-bad">
      <span className="inline-flex items-center gap-1 font-medium">
        <TriangleAlert aria-hidden className="size-3.5" />
        {words.invalid}
      </span>
      {validity.reasons.map((reason) => (
        <span key={reason} className="block text-left text-xs">
          {reason}
        </span>
      ))}
    </span>
  );
}

/** Whether an SLO holds, in shape and word, with what was measured. */
export function SloCell({ slo }: { slo: SloResult | undefined }) {
  if (!slo || slo.actual === null) return <span className="text-faint">{NONE}</span>;
  const isMissed = (slo.violation ?? 0) > 0;
  const Icon = isMissed ? TriangleAlert : Check;
  const unit = slo.label.endsWith(' ms') ? ' ms' : '';
  return (
    <span
      className={cx('inline-flex items-center gap-1 whitespace-nowrap', isMissed ? 'font-medium text-bad' : 'text-ok')}
    >
      <Icon aria-hidden className="size-3.5 shrink-0" />
      {isMissed ? words.slo.missed : words.slo.met}
      <span>{`${number(slo.actual)}${unit}`}</span>
    </span>
  );
}

export function SteadyCell({ steady }: { steady: Measurement['steady'] }) {
  if (!steady) return <span className="text-faint">{NONE}</span>;
  if (steady.verdict === 'steady') return <>{words.steadyFrom(duration(steady.from_s), duration(steady.to_s))}</>;
  return <span className="text-warn">{words.unsteady[steady.reason]}</span>;
}
