import type { Metric } from '@/api/types';
import { figure, NONE, withUnit } from '@/format';

/** A number with its unit; the unit is smaller, and the whole number stands in the tooltip. */
export function Quantity({
  value,
  unit = '',
  metric,
  digits = 3,
  className,
}: {
  value: number | null | undefined;
  unit?: string;
  /** Says unit and form. */
  metric?: Metric;
  digits?: number;
  className?: string;
}) {
  const text = metric ? figure(metric, value, digits) : withUnit(value, unit, digits);
  if (text === NONE) return <span className="text-faint">{NONE}</span>;
  const cut = text.lastIndexOf(' ');
  const exact = value === null || value === undefined ? undefined : String(value);
  return (
    <span className={`whitespace-nowrap ${className ?? ''}`} title={exact}>
      {cut < 0 ? text : text.slice(0, cut)}
      {cut >= 0 && <span className="text-[0.85em] text-muted">{`\u00a0${text.slice(cut + 1)}`}</span>}
    </span>
  );
}
