import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '@/components/Button';
import { cx } from '@/components/cx';
import { Field, INPUT } from '@/components/Field';
import { documents as words } from '@/text/documents';
import { useForm } from '../form';
import { isRecord, type Path } from '../path';
import { type FieldOptions, useField } from './useField';
import { FindingText } from './words';

/** Words of a command, one a line: nothing is cut at spaces or commas. */
export function WordsAt({ placeholder, ...options }: FieldOptions & { placeholder?: string }) {
  const field = useField(options);
  const list = Array.isArray(field.value) ? field.value.map(String) : [];
  const [typed, setTyped] = useState<string | null>(null);
  const text = list.join('\n');
  // What is typed and read is the same but for empty lines.
  const shown = typed !== null && linesOf(typed).join('\n') === text ? typed : text;
  return (
    <Field {...{ label: field.label, hint: field.hint, error: field.error, className: options.className }}>
      {(bound) => (
        <textarea
          {...bound}
          rows={Math.max(2, Math.min(8, shown.split('\n').length))}
          spellCheck={false}
          placeholder={placeholder}
          className={cx(INPUT, 'h-auto py-1.5 font-mono')}
          value={shown}
          onChange={(event) => {
            const next = linesOf(event.target.value);
            setTyped(event.target.value);
            field.set(next.length ? next : undefined);
          }}
        />
      )}
    </Field>
  );
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Lines of text that can be added, changed and taken out, each with its findings. */
export function LinesAt({ path, addLabel, placeholder }: { path: Path; addLabel: string; placeholder?: string }) {
  const form = useForm();
  const value = form.at(path);
  const list = Array.isArray(value) ? value : [];
  return (
    <div className="space-y-2">
      {list.map((line, index) => {
        const finding = form.under([...path, index])[0];
        const label = words.line(index + 1);
        return (
          <div key={index} className="flex items-start gap-1">
            <Field label={label} hideLabel className="flex-1" error={finding && <FindingText finding={finding} />}>
              {(bound) => (
                <input
                  {...bound}
                  className={cx(INPUT, 'font-mono')}
                  spellCheck={false}
                  autoComplete="off"
                  placeholder={placeholder}
                  value={String(line ?? '')}
                  onChange={(event) => form.set([...path, index], event.target.value)}
                />
              )}
            </Field>
            <IconButton
              label={words.removeLine(index + 1)}
              icon={<Trash2 aria-hidden className="size-4" />}
              onClick={() => form.remove([...path, index])}
            />
          </div>
        );
      })}
      <Button
        size="sm"
        icon={<Plus aria-hidden className="size-3.5" />}
        onClick={() => form.insert(path, list.length, '')}
      >
        {addLabel}
      </Button>
    </div>
  );
}

/** Names with texts: environment variables, request fields. */
export function NamedTextsAt({
  path,
  nameLabel,
  valueLabel,
  addLabel,
}: {
  path: Path;
  nameLabel: string;
  valueLabel: string;
  addLabel: string;
}) {
  const form = useForm();
  const value = form.at(path);
  const entries = isRecord(value) ? Object.entries(value) : [];
  const [name, setName] = useState('');
  const isFree = name !== '' && !entries.some(([key]) => key === name);
  const add = () => {
    if (!isFree) return;
    form.set([...path, name], '');
    setName('');
  };
  return (
    <div className="space-y-2">
      {entries.map(([key, text]) => (
        <div key={key} className="flex items-center gap-1">
          <span className="w-2/5 truncate font-mono text-xs" title={key}>
            {key}
          </span>
          <input
            aria-label={`${valueLabel}: ${key}`}
            className={cx(INPUT, 'flex-1 font-mono')}
            spellCheck={false}
            autoComplete="off"
            value={isRecord(text) || Array.isArray(text) ? JSON.stringify(text) : (form.source([...path, key]) ?? '')}
            readOnly={text !== null && typeof text === 'object'}
            onChange={(event) => form.set([...path, key], event.target.value)}
          />
          <IconButton
            label={words.remove(key)}
            icon={<Trash2 aria-hidden className="size-4" />}
            onClick={() => form.remove([...path, key])}
          />
        </div>
      ))}
      <div className="flex gap-1">
        <input
          aria-label={nameLabel}
          className={cx(INPUT, 'w-2/5 font-mono')}
          placeholder={nameLabel}
          spellCheck={false}
          autoComplete="off"
          value={name}
          onChange={(event) => setName(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            add();
          }}
        />
        <Button icon={<Plus aria-hidden className="size-3.5" />} disabled={!isFree} onClick={add}>
          {addLabel}
        </Button>
      </div>
    </div>
  );
}
