import { NONE } from '@/format';

interface MeterProps {
  label: string;
  help?: string;
  /** 0 to 1; more than that fills it. Null where there is nothing to compare with. */
  share: number | null;
  words: string | null;
}

/** A figure with a bar of how much of the whole it is. */
export function Meter({ label, help, share, words }: MeterProps) {
  const part = share === null ? null : Math.max(0, Math.min(1, share));
  return (
    <div className="min-w-0" title={help}>
      <div className="flex items-baseline justify-between gap-2">
        <span className="text-muted">{label}</span>
        <span className="truncate text-xs">{words ?? NONE}</span>
      </div>
      {part !== null && (
        <div
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(part * 100)}
          aria-valuetext={words ?? undefined}
          className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunken"
        >
          <div className="h-full rounded-full bg-[var(--s1)]" style={{ width: `${part * 100}%` }} />
        </div>
      )}
    </div>
  );
}
