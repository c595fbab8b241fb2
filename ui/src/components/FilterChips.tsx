import { Check } from 'lucide-react';
import { cx } from './cx';

interface FilterChipsProps<T extends string> {
  /** What the words are of, read aloud. */
  label: string;
  options: readonly { value: T; label: string; count?: number }[];
  /** None chosen means all are shown. */
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}

/** A few words of which any may be chosen. */
export function FilterChips<T extends string>({ label, options, chosen, onChange }: FilterChipsProps<T>) {
  return (
    <div role="group" aria-label={label} className="flex flex-wrap gap-1">
      {options.map(({ value, label: word, count }) => {
        const on = chosen.includes(value);
        return (
          <button
            key={value}
            type="button"
            aria-pressed={on}
            onClick={() => onChange(on ? chosen.filter((one) => one !== value) : [...chosen, value])}
            className={cx(
              'inline-flex h-7 items-center gap-1 rounded-full border px-2.5 text-xs',
              on
                ? 'border-accent bg-accent-soft font-medium text-accent'
                : 'border-line text-muted hover:bg-hover hover:text-ink',
            )}
          >
            {on && <Check aria-hidden className="size-3" />}
            {word}
            {count !== undefined && <span className={on ? '' : 'text-faint'}>{count}</span>}
          </button>
        );
      })}
    </div>
  );
}
