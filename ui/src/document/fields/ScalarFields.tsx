import { useState } from 'react';
import { cx } from '@/components/cx';
import { Field, INPUT, TextArea, TextField } from '@/components/Field';
import { Select } from '@/components/Select';
import { Switch } from '@/components/Toggle';
import { documents as words } from '@/text/documents';
import { typesOf } from '../schema';
import { typedNumber } from '../values';
import { type FieldOptions, useField } from './useField';
import { Help } from './words';

/** One line of text. What is empty is taken out, unless it is required. */
export function TextAt({
  placeholder,
  mono,
  keepEmpty,
  lines,
  onText,
  ...options
}: FieldOptions & {
  placeholder?: string;
  mono?: boolean;
  keepEmpty?: boolean;
  lines?: number;
  /** In place of setting the place itself. */
  onText?: (text: string) => void;
}) {
  const field = useField(options);
  const shown = field.value === undefined || field.value === null ? '' : (field.source ?? String(field.value));
  const shared = {
    label: field.label,
    hideLabel: options.hideLabel,
    hint: field.hint,
    error: field.error,
    className: options.className,
    mono,
    placeholder: placeholder ?? (typeof field.fallback === 'string' ? field.fallback : undefined),
    value: shown,
    onChange: onText ?? ((text: string) => field.set(text === '' && !keepEmpty ? undefined : text)),
  };
  return lines ? <TextArea {...shared} rows={lines} /> : <TextField {...shared} />;
}

/** A number, written as it was typed. What is no number stays in the field and does not reach the document. */
export function NumberAt({ placeholder, ...options }: FieldOptions & { placeholder?: string }) {
  const field = useField(options);
  const [wrong, setWrong] = useState<string | null>(null);
  const whole = field.schema && typesOf(field.schema).includes('integer');
  const shown = wrong ?? (field.value === undefined || field.value === null ? '' : (field.source ?? ''));
  const read = (text: string) => {
    const number = typedNumber(text);
    if (text.trim() === '') field.set(undefined);
    else if (number && !(whole && !Number.isInteger(number.value))) field.set(number);
    else return setWrong(text);
    // `1.` is on its way to `1.5`.
    setWrong(number && number.text !== text ? text : null);
  };
  const bad = wrong !== null && (!typedNumber(wrong) || (whole && !Number.isInteger(Number(wrong))));
  const error = bad ? (whole ? words.noWholeNumber : words.noNumber) : field.error;
  const fallback = typeof field.fallback === 'number' ? words.default(String(field.fallback)) : undefined;
  return (
    <Field
      {...{ label: field.label, hideLabel: options.hideLabel, hint: field.hint, className: options.className, error }}
    >
      {(bound) => (
        <div className="relative">
          <input
            {...bound}
            inputMode="decimal"
            autoComplete="off"
            placeholder={placeholder ?? fallback}
            className={cx(INPUT, field.unit && 'pr-10')}
            value={shown}
            onChange={(event) => read(event.target.value)}
            onBlur={() => bad || setWrong(null)}
          />
          {field.unit && (
            <span className="pointer-events-none absolute inset-y-0 right-2 flex items-center text-xs text-faint">
              {field.unit}
            </span>
          )}
        </div>
      )}
    </Field>
  );
}

/** One of the words that the schema names; the first choice leaves it to the default. */
export function ChoiceAt({
  names,
  required,
  onChoose,
  ...options
}: FieldOptions & {
  names?: Record<string, string>;
  required?: boolean;
  /** In place of setting the place itself. */
  onChoose?: (value: string | undefined) => void;
}) {
  const field = useField(options);
  const { choices } = field;
  const set = onChoose ?? field.set;
  const current = field.value === undefined || field.value === null ? '' : String(field.value);
  const name = (value: unknown) => names?.[String(value)] ?? String(value);
  const known = choices.some((choice) => String(choice.value) === current);
  const fallback = field.fallback === undefined ? words.defaultChoice : words.defaultOf(name(field.fallback));
  const list = [
    ...(required && current !== '' ? [] : [{ value: '', label: required ? words.choose : fallback }]),
    ...choices.map((choice) => ({ value: String(choice.value), label: name(choice.value) })),
    ...(current !== '' && !known ? [{ value: current, label: words.notKnown(current) }] : []),
  ];
  const help = choices.find((choice) => String(choice.value) === current)?.description;
  return (
    <Select
      {...{ label: field.label, hideLabel: options.hideLabel, className: options.className }}
      hint={options.hint === null ? undefined : help ? <Help text={help} /> : options.hint}
      error={field.error}
      value={current}
      options={list}
      onChange={(value) => set(value === '' ? undefined : value)}
    />
  );
}

/** A switch; at its default it is not written. */
export function SwitchAt(options: FieldOptions) {
  const field = useField(options);
  const fallback = field.fallback === true;
  const checked = typeof field.value === 'boolean' ? field.value : fallback;
  return (
    <div className={options.className}>
      <Switch
        label={field.label}
        hint={field.error ? <span className="text-bad">{field.error}</span> : field.hint}
        checked={checked}
        onChange={(next) => field.set(next === fallback ? undefined : next)}
      />
    </div>
  );
}
