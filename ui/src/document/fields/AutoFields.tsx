import { useState } from 'react';
import { cx } from '@/components/cx';
import { Disclosure } from '@/components/Disclosure';
import { Field, INPUT } from '@/components/Field';
import { documents as words } from '@/text/documents';
import { useForm } from '../form';
import type { Path } from '../path';
import { parse } from '../read';
import { choicesOf, forms, propertiesAt, typesOf } from '../schema';
import { inline } from '../write';
import { WordsAt } from './ListFields';
import { ChoiceAt, NumberAt, SwitchAt, TextAt } from './ScalarFields';
import { type FieldOptions, useField } from './useField';

/** The control that the schema of a place asks for. */
export function AutoAt(options: FieldOptions & { placeholder?: string }) {
  const { schema: root, schemaAt } = useForm();
  const schema = schemaAt(options.path);
  if (!schema) return <YamlAt {...options} />;
  const possible = forms(schema, root);
  const types = new Set(possible.flatMap(typesOf));
  const type = types.size === 1 ? [...types][0] : undefined;
  if (type === 'boolean') return <SwitchAt {...options} />;
  if (choicesOf(schema, root).length > 0) return <ChoiceAt {...options} />;
  if (type === 'integer' || type === 'number') return <NumberAt {...options} />;
  if (type === 'string') return <TextAt {...options} />;
  const items = possible[0]?.items;
  if (type === 'array' && items && typesOf(items).join() === 'string') return <WordsAt {...options} />;
  return <YamlAt {...options} />;
}

/** Whatever has no control of its own, as YAML on one line. */
export function YamlAt({ placeholder, ...options }: FieldOptions & { placeholder?: string }) {
  const field = useField(options);
  const written = field.value === undefined ? '' : inline(field.value);
  const [typed, setTyped] = useState<string | null>(null);
  const wrong = typed !== null;
  const read = (text: string) => {
    if (text.trim() === '') {
      setTyped(null);
      return field.set(undefined);
    }
    const parsed = parse(`v: ${text}`);
    if (parsed.problem) return setTyped(text);
    setTyped(null);
    field.set(parsed.value.v);
  };
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <Field
      {...{ label: field.label, hint: field.hint, className: options.className }}
      error={wrong ? words.unreadable('') : field.error}
    >
      {(bound) => (
        <input
          {...bound}
          spellCheck={false}
          autoComplete="off"
          className={cx(INPUT, 'font-mono')}
          value={draft ?? typed ?? written}
          placeholder={placeholder ?? words.yaml}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={() => {
            if (draft !== null) read(draft);
            setDraft(null);
          }}
        />
      )}
    </Field>
  );
}

/** All fields of a map that the schema has, but those shown elsewhere. */
export function AutoFieldsAt({ path, skip = [] }: { path: Path; skip?: readonly string[] }) {
  const form = useForm();
  const keys = [...propertiesAt(form.schema, path, form.value).keys()].filter((key) => !skip.includes(key));
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {keys.map((key) => (
        <AutoAt key={key} path={[...path, key]} />
      ))}
    </div>
  );
}

/** The rest of a map, folded; open where something of it is set or wrong. */
export function MoreAt({ path, skip, title }: { path: Path; skip: readonly string[]; title: string }) {
  const form = useForm();
  const keys = [...propertiesAt(form.schema, path, form.value).keys()].filter((key) => !skip.includes(key));
  if (keys.length === 0) return null;
  const set = keys.filter((key) => form.at([...path, key]) !== undefined).length;
  const wrong = form.under(...keys.map((key) => [...path, key])).some(({ severity }) => severity === 'error');
  return (
    <Disclosure title={title} note={set > 0 ? words.setFields(set) : undefined} open={wrong}>
      <AutoFieldsAt path={path} skip={skip} />
    </Disclosure>
  );
}
