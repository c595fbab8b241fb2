import { percent } from '@/format';
import { components } from '@/text/components';
import { cx } from './cx';

interface IntervalProps {
  low: number;
  estimate: number;
  high: number;
  /** Where nothing changes: 0 for a difference, 1 for a factor. */
  neutral?: number;
  /** Ends of the scale; default: around what is shown. */
  scale?: [from: number, to: number];
  confidence?: number;
  format: (value: number) => string;
  /** Whether larger is better; colours what is surely better or worse. */
  better?: 'larger' | 'smaller';
  width?: number;
}

/** An estimate with its interval, drawn and in words. */
export function Interval({
  low,
  estimate,
  high,
  neutral,
  scale,
  confidence,
  format,
  better,
  width = 160,
}: IntervalProps) {
  const shown = [low, high, estimate, ...(neutral === undefined ? [] : [neutral])];
  const least = Math.min(...shown);
  const most = Math.max(...shown);
  const pad = (most - least || Math.abs(most) || 1) * 0.12;
  const [from, to] = scale ?? [least - pad, most + pad];
  const x = (value: number) => ((Math.min(to, Math.max(from, value)) - from) / (to - from || 1)) * 100;
  const sure = neutral === undefined || low > neutral ? 'up' : high < neutral ? 'down' : 'unsure';
  const good = better && neutral !== undefined && sure !== 'unsure' ? (sure === 'up') === (better === 'larger') : null;
  const colour = good === null ? 'bg-muted' : good ? 'bg-ok' : 'bg-bad';
  const range = `${format(low)} – ${format(high)}`;
  const label =
    confidence === undefined
      ? `${format(estimate)} (${range})`
      : components.interval(format(estimate), range, percent(confidence));
  return (
    <span
      role="img"
      aria-label={label}
      title={label}
      className="relative inline-block h-4 align-middle"
      style={{ width }}
    >
      <span aria-hidden className="absolute inset-x-0 top-1/2 h-px bg-line" />
      {neutral !== undefined && (
        <span aria-hidden className="absolute inset-y-0 w-px bg-edge" style={{ left: `${x(neutral)}%` }} />
      )}
      <span
        aria-hidden
        className={cx('absolute top-1/2 h-1 -translate-y-1/2 rounded-full opacity-50', colour)}
        style={{ left: `${x(low)}%`, width: `${Math.max(1, x(high) - x(low))}%` }}
      />
      <span
        aria-hidden
        className={cx('absolute top-1/2 size-2 -translate-x-1/2 -translate-y-1/2 rounded-full', colour)}
        style={{ left: `${x(estimate)}%` }}
      />
    </span>
  );
}
