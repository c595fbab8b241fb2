import { Check, Plus } from 'lucide-react';
import { type KeyboardEvent, useDeferredValue, useId, useMemo, useRef, useState } from 'react';
import type { EngineParameter } from '@/api/engines';
import { cx } from '@/components/cx';
import { INPUT } from '@/components/Field';
import { parameters as words } from '@/text/parameters';
import { Help } from '../fields/words';
import { useForm } from '../form';
import { firstSpec, firstValue, searchParameters } from '../parameter';
import type { Path } from '../path';

interface AddParameterProps {
  path: Path;
  catalogue: readonly EngineParameter[] | undefined;
  engine: string;
  has: readonly string[];
  onAdd: (name: string) => void;
  /** One value each, instead of values to try. */
  single?: boolean;
}

const SHOWN = 40;

/** Finds a parameter of the engine by name, alias or help, and adds it with values worth trying. */
export function AddParameter({ path, catalogue = [], engine, has, onAdd, single }: AddParameterProps) {
  const form = useForm();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const wanted = useDeferredValue(typed);
  const found = useMemo(() => searchParameters(catalogue, wanted), [catalogue, wanted]);
  const shown = found.slice(0, SHOWN);
  const own = typed.trim();
  const canAddOwn = /^[\w.-]+$/.test(own) && !has.includes(own) && !shown.some((one) => one.name === own);
  const add = (name: string, known?: EngineParameter) => {
    if (has.includes(name)) return onAdd(name);
    form.set([...path, name], single ? firstValue(known) : firstSpec(known));
    onAdd(name);
    setTyped('');
    setActive(0);
    input.current?.focus();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      setActive((at) => Math.max(0, Math.min(shown.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1))));
      document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const one = shown[active];
      if (one) add(one.name, one);
      else if (canAddOwn) add(own);
    } else if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div
      className="rounded-md border border-line"
      onBlur={(event) => event.currentTarget.contains(event.relatedTarget) || setOpen(false)}
    >
      <input
        ref={input}
        role="combobox"
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={open && shown[active] ? `${id}-${active}` : undefined}
        aria-label={single ? words.addFlag : words.add}
        placeholder={catalogue.length > 0 ? words.addHint(catalogue.length, engine) : words.addPlain}
        className={cx(INPUT, 'border-transparent bg-transparent')}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onChange={(event) => {
          setTyped(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onKeyDown={onKey}
      />
      <div hidden={!open} className="max-h-80 overflow-y-auto border-t border-line" tabIndex={-1}>
        <div id={`${id}-list`} role="listbox" aria-label={single ? words.addFlag : words.add}>
          {shown.map((one, index) => (
            <div
              key={one.name}
              id={`${id}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={has.includes(one.name)}
              className={cx('cursor-pointer px-2 py-1.5', index === active && 'bg-hover')}
              onMouseEnter={() => setActive(index)}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => add(one.name, one)}
            >
              <div className="flex items-baseline gap-2">
                {has.includes(one.name) ? (
                  <Check aria-hidden className="size-3.5 shrink-0 self-center text-ok" />
                ) : (
                  <Plus aria-hidden className="size-3.5 shrink-0 self-center text-faint" />
                )}
                <span className="min-w-0 truncate font-mono text-xs">{one.name}</span>
                {one.tunable && <span className="shrink-0 text-xs text-accent">{words.worthTrying}</span>}
                <span className="ml-auto shrink-0 text-xs text-faint">
                  {words.types[one.kind]}
                  {one.default !== undefined && ` · ${words.default(one.default.slice(0, 24))}`}
                </span>
              </div>
              <p className="line-clamp-2 pl-5.5 text-xs text-muted">
                <Help text={one.help} />
              </p>
            </div>
          ))}
        </div>
        {found.length > SHOWN && (
          <p className="px-2 py-1.5 text-xs text-faint">{words.moreFound(found.length - SHOWN)}</p>
        )}
        {canAddOwn && (
          <button
            type="button"
            className="w-full px-2 py-1.5 text-left hover:bg-hover"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => add(own)}
          >
            {words.addOwn(own)}
          </button>
        )}
        {shown.length === 0 && !canAddOwn && <p className="px-2 py-1.5 text-faint">{words.nothingFound}</p>}
      </div>
    </div>
  );
}
