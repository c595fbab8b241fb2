import { createElement, type ReactNode } from 'react';
import { type Form, useForm } from '../form';
import type { Path } from '../path';
import { type Choice, choicesOf, forms, type Schema, schemasAt } from '../schema';
import { FindingText, Help, labelOf, unitOf } from './words';

export interface FieldOptions {
  path: Path;
  label?: string;
  hideLabel?: boolean;
  /** In place of the schema's words; `null` for none. */
  hint?: ReactNode;
  className?: string;
}

export interface BoundField {
  value: unknown;
  source: string | undefined;
  schema: Schema | undefined;
  /** What may be chosen, with what each means. */
  choices: Choice[];
  label: string;
  hint: ReactNode;
  error: ReactNode;
  unit: string | undefined;
  /** What holds where nothing is said. */
  fallback: unknown;
  set: (value: unknown) => void;
}

/** What a control of a place needs: value, words of the schema, findings. */
export function useField({ path, label, hint }: FieldOptions): BoundField {
  const form = useForm();
  const schema = form.schemaAt(path);
  const finding = form.error(path);
  return {
    value: form.at(path),
    source: form.source(path),
    schema,
    choices: choicesAt(form, path),
    label: label ?? labelOf(path),
    hint: hint === undefined ? schema?.description && createElement(Help, { text: schema.description }) : hint,
    error: finding && createElement(FindingText, { finding }),
    unit: unitOf(path),
    fallback: schema?.default ?? inherited(form.schemaAt(path.slice(0, -1)), path),
    set: (value) => form.set(path, value),
  };
}

/** Choices of a place. Where a word tells forms from each other (`kind: local`), the form says what it means. */
function choicesAt(form: Form, path: Path): Choice[] {
  const root = form.schema;
  const key = String(path.at(-1));
  const parents = schemasAt(root, path.slice(0, -1), form.value).flatMap((parent) => forms(parent, root));
  return schemasAt(root, path, form.value)
    .flatMap((schema) => choicesOf(schema, root))
    .map((choice) => ({
      ...choice,
      description:
        choice.description ?? parents.find((parent) => parent.properties?.[key]?.const === choice.value)?.description,
    }));
}

/** The default that a whole section has for this key. */
function inherited(parent: Schema | undefined, path: Path): unknown {
  const whole = parent?.default;
  const key = path.at(-1);
  return whole && typeof whole === 'object' && key !== undefined
    ? (whole as Record<string | number, unknown>)[key]
    : undefined;
}
