import { type ComponentProps, type ReactNode, useId, useState } from 'react';
import { components } from '@/text/components';
import { cx } from './cx';

export const INPUT =
  'h-8 w-full min-w-0 rounded-md border border-edge/70 bg-surface px-2 text-sm text-ink placeholder:text-faint disabled:opacity-60 aria-[invalid=true]:border-bad';

interface FieldProps {
  label: ReactNode;
  /** Shown to nobody but read aloud. */
  hideLabel?: boolean;
  hint?: ReactNode;
  error?: ReactNode;
  optional?: boolean;
  className?: string;
}

/** Label, hint and error around a control; `children` gets what binds them together. */
export function Field({
  label,
  hideLabel,
  hint,
  error,
  optional,
  className,
  children,
}: FieldProps & {
  children: (bound: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => ReactNode;
}) {
  const id = useId();
  const noteId = hint || error ? `${id}-note` : undefined;
  return (
    <div className={cx('min-w-0', className)}>
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'mb-1 block font-medium'}>
        {label}
        {optional && <span className="ml-1 font-normal text-faint">{components.optional}</span>}
      </label>
      {children({ id, 'aria-describedby': noteId, 'aria-invalid': error ? true : undefined })}
      {noteId && (
        <div id={noteId} className={cx('mt-1 text-xs', error ? 'text-bad' : 'text-faint')}>
          {error || hint}
        </div>
      )}
    </div>
  );
}

type Input = Omit<ComponentProps<'input'>, 'onChange' | 'value' | 'size' | 'className'>;

interface TextFieldProps extends FieldProps, Input {
  value: string;
  onChange: (value: string) => void;
  mono?: boolean;
}

export function TextField({
  label,
  hideLabel,
  hint,
  error,
  optional,
  className,
  value,
  onChange,
  mono,
  ...rest
}: TextFieldProps) {
  return (
    <Field {...{ label, hideLabel, hint, error, optional, className }}>
      {(bound) => (
        <input
          autoComplete="off"
          spellCheck={false}
          {...rest}
          {...bound}
          className={cx(INPUT, mono && 'font-mono')}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface TextAreaProps extends FieldProps, Omit<ComponentProps<'textarea'>, 'onChange' | 'value' | 'className'> {
  value: string;
  onChange: (value: string) => void;
  mono?: boolean;
}

export function TextArea({
  label,
  hideLabel,
  hint,
  error,
  optional,
  className,
  value,
  onChange,
  mono,
  ...rest
}: TextAreaProps) {
  return (
    <Field {...{ label, hideLabel, hint, error, optional, className }}>
      {(bound) => (
        <textarea
          rows={4}
          {...rest}
          {...bound}
          className={cx(INPUT, 'h-auto py-1.5', mono && 'font-mono')}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

interface NumberFieldProps extends FieldProps, Omit<Input, 'min' | 'max' | 'step'> {
  value: number | undefined;
  onChange: (value: number | undefined) => void;
  unit?: string;
  min?: number;
  max?: number;
}

/** A number; what is typed is kept as typed, so that nothing is rewritten under a person's hands. */
export function NumberField({
  label,
  hideLabel,
  hint,
  error,
  optional,
  className,
  value,
  onChange,
  unit,
  min,
  max,
  ...rest
}: NumberFieldProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? (value === undefined ? '' : String(value));
  const read = (text: string) => {
    setTyped(text);
    const number = Number(text.trim().replace(',', '.'));
    onChange(text.trim() === '' || !Number.isFinite(number) ? undefined : number);
  };
  const wrong = shown.trim() !== '' && value === undefined;
  const outside = value !== undefined && ((min !== undefined && value < min) || (max !== undefined && value > max));
  return (
    <Field {...{ label, hideLabel, hint, optional, className }} error={error}>
      {(bound) => (
        <div className="relative">
          <input
            inputMode="decimal"
            autoComplete="off"
            {...rest}
            {...bound}
            aria-invalid={bound['aria-invalid'] || wrong || outside || undefined}
            className={cx(INPUT, unit && 'pr-14')}
            value={shown}
            onChange={(event) => read(event.target.value)}
            onBlur={() => setTyped(null)}
          />
          {unit && (
            <span className="pointer-events-none absolute inset-y-0 right-2 flex items-center text-xs text-faint">
              {unit}
            </span>
          )}
        </div>
      )}
    </Field>
  );
}
