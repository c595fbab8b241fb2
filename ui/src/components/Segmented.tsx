import type { ReactNode } from 'react';
import { cx } from './cx';

interface SegmentedProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: ReactNode; className?: string }[];
  onChange: (value: T) => void;
  disabled?: boolean;
}

/** One of few, all in sight. */
export function Segmented<T extends string>({ label, value, options, onChange, disabled }: SegmentedProps<T>) {
  return (
    <fieldset disabled={disabled} className="inline-flex max-w-full overflow-x-auto rounded-md border border-edge/60">
      <legend className="sr-only">{label}</legend>
      {options.map((option, index) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
          className={cx(
            'h-7.5 whitespace-nowrap px-2.5 focus-visible:-outline-offset-2',
            index > 0 && 'border-l border-edge/60',
            option.value === value ? 'bg-accent-soft font-medium text-accent' : 'bg-surface text-muted hover:bg-hover',
            option.className,
          )}
        >
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}
