import { type KeyboardEvent, type ReactNode, useId, useMemo, useRef, useState } from 'react';
import { components } from '@/text/components';
import { cx } from './cx';
import { Field, INPUT } from './Field';

export interface ComboOption {
  value: string;
  label: string;
  /** Small words beside it. */
  note?: string;
}

interface ComboboxProps {
  label: string;
  hideLabel?: boolean;
  hint?: ReactNode;
  error?: ReactNode;
  value: string;
  options: readonly ComboOption[];
  onChange: (value: string) => void;
  /** What is typed may be no option. */
  free?: boolean;
  placeholder?: string;
  className?: string;
}

const SHOWN = 100;

/** One of many, found by typing. */
export function Combobox({
  label,
  hideLabel,
  hint,
  error,
  value,
  options,
  onChange,
  free,
  placeholder,
  className,
}: ComboboxProps) {
  const listId = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const label_of = options.find((option) => option.value === value)?.label ?? value;
  const found = useMemo(() => {
    const words = (typed ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const has = (option: ComboOption) =>
      words.every((word) => `${option.label} ${option.note ?? ''}`.toLowerCase().includes(word));
    return options.filter(has).slice(0, SHOWN);
  }, [options, typed]);
  const open = typed !== null;

  const close = () => {
    setTyped(null);
    setActive(0);
  };
  const take = (option: ComboOption | undefined) => {
    if (option) onChange(option.value);
    else if (free && typed !== null) onChange(typed);
    close();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!open) return setTyped('');
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((at) => Math.max(0, Math.min(found.length - 1, at + step)));
    } else if (event.key === 'Enter' && open) {
      event.preventDefault();
      take(found[active]);
    } else if (event.key === 'Escape' && open) {
      event.stopPropagation();
      close();
    }
  };

  return (
    <Field {...{ label, hideLabel, hint, error, className }}>
      {(bound) => (
        <div className="relative">
          <input
            {...bound}
            ref={input}
            role="combobox"
            aria-expanded={open}
            aria-controls={listId}
            aria-autocomplete="list"
            aria-activedescendant={open && found[active] ? `${listId}-${active}` : undefined}
            autoComplete="off"
            spellCheck={false}
            placeholder={placeholder}
            className={INPUT}
            value={typed ?? label_of}
            onChange={(event) => {
              setTyped(event.target.value);
              setActive(0);
            }}
            onClick={() => open || setTyped('')}
            onKeyDown={onKey}
            onBlur={() => (free && typed ? take(undefined) : close())}
          />
          <div
            id={listId}
            role="listbox"
            aria-label={label}
            hidden={!open}
            className="absolute z-30 mt-1 max-h-64 w-full min-w-48 overflow-y-auto rounded-md border border-line bg-raised p-1 shadow-pop"
          >
            {found.length === 0 && <div className="px-2 py-1 text-faint">{components.noOptions}</div>}
            {found.map((option, index) => (
              <div
                key={option.value}
                id={`${listId}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={option.value === value}
                className={cx('flex items-baseline gap-2 rounded-sm px-2 py-1', index === active && 'bg-hover')}
                onMouseEnter={() => setActive(index)}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(option)}
              >
                <span className="min-w-0 truncate">{option.label}</span>
                {option.note && <span className="ml-auto shrink-0 text-xs text-faint">{option.note}</span>}
              </div>
            ))}
          </div>
        </div>
      )}
    </Field>
  );
}
