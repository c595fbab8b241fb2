import { X } from 'lucide-react';
import { type ClipboardEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import { cx } from '@/components/cx';
import { documents as words } from '@/text/documents';
import { type Guide, insertAt } from '../edit';
import { useForm } from '../form';
import type { Path } from '../path';
import { kindOf, shownValue, typedValue, typedValues } from '../values';

interface ValueListProps {
  path: Path;
  label: string;
  /** Values that the catalogue knows. */
  known?: readonly unknown[];
}

/** Typed values one after the other. Enter adds; a click on one changes it; Backspace in the empty field takes the last out. */
export function ValueList({ path, label, known = [] }: ValueListProps) {
  const form = useForm();
  const value = form.at(path);
  const list: unknown[] = Array.isArray(value) ? value : [];
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState<number | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  const has = (one: unknown) => list.some((other) => other === one);
  const add = (texts: string) => {
    const next = typedValues(texts);
    form.change((text, guide) => appended(text, path, list.length, next, guide));
    setTyped('');
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && typed.trim() !== '') {
      event.preventDefault();
      add(typed);
    } else if (event.key === 'Backspace' && typed === '' && list.length > 0) {
      form.remove([...path, list.length - 1]);
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    const text = event.clipboardData.getData('text');
    if (!text.includes('\n') || typed !== '') return;
    event.preventDefault();
    add(text);
  };
  return (
    <div
      role="group"
      aria-label={label}
      className="flex min-h-8 flex-wrap items-center gap-1 rounded-md border border-edge/70 bg-surface p-1"
      onClick={(event) => event.target === event.currentTarget && input.current?.focus()}
    >
      {list.map((one, index) =>
        open === index ? (
          <OpenValue
            key={index}
            text={shownValue(one, form.source([...path, index]))}
            onDone={(text) => {
              setOpen(null);
              if (text !== null) form.set([...path, index], typedValue(text));
              input.current?.focus();
            }}
          />
        ) : (
          <Chip
            key={index}
            value={one}
            text={shownValue(one, form.source([...path, index]))}
            twice={list.indexOf(one) !== index}
            wrong={form.error([...path, index]) !== undefined}
            onOpen={() => setOpen(index)}
            onRemove={() => form.remove([...path, index])}
          />
        ),
      )}
      <input
        ref={input}
        aria-label={words.addValue(label)}
        list={known.length > 0 ? listId : undefined}
        placeholder={list.length === 0 ? words.valuesHint : words.addShort}
        className="h-6 min-w-20 flex-1 bg-transparent px-1 font-mono text-xs outline-none placeholder:font-sans placeholder:text-faint"
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={onKey}
        onPaste={onPaste}
        onBlur={() => typed.trim() !== '' && add(typed)}
      />
      {known.length > 0 && (
        <datalist id={listId}>
          {known
            .filter((one) => !has(one))
            .map((one) => (
              <option key={String(one)} value={shownValue(one)} />
            ))}
        </datalist>
      )}
    </div>
  );
}

function appended(text: string, path: Path, from: number, values: unknown[], guide: Guide): string {
  return values.reduce<string>((next, value, n) => insertAt(next, path, from + n, value, guide), text);
}

function Chip({
  value,
  text,
  twice,
  wrong,
  onOpen,
  onRemove,
}: {
  value: unknown;
  text: string;
  twice: boolean;
  wrong: boolean;
  onOpen: () => void;
  onRemove: () => void;
}) {
  const kind = kindOf(value);
  const shown = kind === 'absent' ? words.absent : kind === 'text' ? text.replace(/^"(.*)"$/s, '$1') : text;
  return (
    <span
      className={cx(
        'inline-flex max-w-full items-center rounded-sm border text-xs',
        wrong || twice
          ? 'border-bad text-bad'
          : kind === 'text'
            ? 'border-line bg-sunken'
            : 'border-line bg-accent-soft',
      )}
      title={`${words.kinds[kind]}${twice ? ` · ${words.twice}` : ''}`}
    >
      <button
        type="button"
        onClick={onOpen}
        aria-label={words.changeValue(words.kinds[kind], shown)}
        className={cx('min-w-0 truncate px-1.5 py-0.5', kind === 'absent' ? 'italic text-muted' : 'font-mono')}
      >
        {kind === 'text' ? <Quoted text={shown} /> : shown}
      </button>
      <button
        type="button"
        onClick={onRemove}
        aria-label={words.remove(shown)}
        className="rounded-sm p-0.5 text-muted hover:bg-hover hover:text-ink"
      >
        <X aria-hidden className="size-3" />
      </button>
    </span>
  );
}

function Quoted({ text }: { text: string }) {
  return (
    <>
      <span aria-hidden className="text-faint">
        “
      </span>
      {text}
      <span aria-hidden className="text-faint">
        ”
      </span>
    </>
  );
}

function OpenValue({ text, onDone }: { text: string; onDone: (text: string | null) => void }) {
  const [typed, setTyped] = useState(text);
  const done = (taken: string | null) => onDone(taken !== null && taken.trim() !== '' && taken !== text ? taken : null);
  return (
    <input
      ref={(element) => element?.focus()}
      aria-label={words.value}
      className="h-6 w-32 rounded-sm border border-accent bg-surface px-1 font-mono text-xs"
      autoComplete="off"
      spellCheck={false}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') {
          event.preventDefault();
          done(typed);
        }
        if (event.key === 'Escape') {
          event.stopPropagation();
          done(null);
        }
      }}
      onBlur={() => done(typed)}
    />
  );
}
