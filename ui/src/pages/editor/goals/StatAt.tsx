import { useId } from 'react';
import { Field, INPUT } from '@/components/Field';
import { type FieldOptions, useField } from '@/document/fields/useField';
import { editor as words } from '@/text/editor';

const USUAL = ['mean', 'min', 'max', 'p50', 'p90', 'p95', 'p99', 'p99.9'];

/** Which number of a metric: a word of the usual ones, or any percentile. */
export function StatAt(options: FieldOptions) {
  const field = useField(options);
  const listId = useId();
  return (
    <Field label={field.label} hideLabel={options.hideLabel} error={field.error} className={options.className}>
      {(bound) => (
        <>
          <input
            {...bound}
            list={listId}
            className={INPUT}
            autoComplete="off"
            spellCheck={false}
            placeholder={words.goals.statDefault}
            value={typeof field.value === 'string' ? field.value : ''}
            onChange={(event) => field.set(event.target.value.trim() || undefined)}
          />
          <datalist id={listId}>
            {USUAL.map((stat) => (
              <option key={stat} value={stat} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
