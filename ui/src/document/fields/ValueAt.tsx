import { useId, useState } from 'react';
import { cx } from '@/components/cx';
import { Field, INPUT } from '@/components/Field';
import { documents as words } from '@/text/documents';
import { kindOf, shownValue, typedValue } from '../values';
import { type FieldOptions, useField } from './useField';

/** One typed value: what it is read as is said beside it. */
export function ValueAt({ known = [], ...options }: FieldOptions & { known?: readonly unknown[] }) {
  const field = useField(options);
  const listId = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? shownValue(field.value, field.source);
  const kind = kindOf(typed === null ? field.value : typedValue(typed));
  const take = () => {
    if (typed !== null) field.set(typedValue(typed));
    setTyped(null);
  };
  return (
    <Field {...{ label: field.label, hideLabel: options.hideLabel, error: field.error, className: options.className }}>
      {(bound) => (
        <div className="relative">
          <input
            {...bound}
            list={known.length > 0 ? listId : undefined}
            className={cx(INPUT, 'pr-24 font-mono')}
            autoComplete="off"
            spellCheck={false}
            value={shown}
            onChange={(event) => setTyped(event.target.value)}
            onBlur={take}
            onKeyDown={(event) => event.key === 'Enter' && take()}
          />
          <span className="pointer-events-none absolute inset-y-0 right-2 flex items-center text-xs text-faint">
            {kind === 'absent' ? words.absent : words.kinds[kind]}
          </span>
          {known.length > 0 && (
            <datalist id={listId}>
              {known.map((one) => (
                <option key={String(one)} value={shownValue(one)} />
              ))}
            </datalist>
          )}
        </div>
      )}
    </Field>
  );
}
