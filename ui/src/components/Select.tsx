import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from './cx';
import { Field, INPUT } from './Field';

export interface Option<T extends string = string> {
  value: T;
  label: string;
  disabled?: boolean;
}

interface SelectProps<T extends string> {
  label: string;
  hideLabel?: boolean;
  hint?: ReactNode;
  error?: ReactNode;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
  disabled?: boolean;
  className?: string;
}

/** One of few. The browser's own list: it is right on telephones, and reads itself aloud. */
export function Select<T extends string>({
  label,
  hideLabel,
  hint,
  error,
  value,
  options,
  onChange,
  disabled,
  className,
}: SelectProps<T>) {
  return (
    <Field {...{ label, hideLabel, hint, error, className }}>
      {(bound) => (
        <div className="relative">
          <select
            {...bound}
            disabled={disabled}
            value={value}
            onChange={(event) => onChange(event.target.value as T)}
            className={cx(INPUT, 'appearance-none truncate pr-7')}
          >
            {options.map((option) => (
              <option key={option.value} value={option.value} disabled={option.disabled}>
                {option.label}
              </option>
            ))}
          </select>
          <ChevronDown aria-hidden className="pointer-events-none absolute right-2 top-2 size-4 text-muted" />
        </div>
      )}
    </Field>
  );
}
