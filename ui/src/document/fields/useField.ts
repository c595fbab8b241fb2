import { createElement, type ReactNode } from 'react';
import { useForm } from '../form';
import type { Path } from '../path';
import type { Schema } from '../schema';
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
    label: label ?? labelOf(path),
    hint: hint === undefined ? schema?.description && createElement(Help, { text: schema.description }) : hint,
    error: finding && createElement(FindingText, { finding }),
    unit: unitOf(path),
    fallback: schema?.default ?? inherited(form.schema, form.schemaAt(path.slice(0, -1)), path),
    set: (value) => form.set(path, value),
  };
}

/** The default that a whole section has for this key. */
function inherited(_root: Schema, parent: Schema | undefined, path: Path): unknown {
  const whole = parent?.default;
  const key = path.at(-1);
  return whole && typeof whole === 'object' && key !== undefined
    ? (whole as Record<string | number, unknown>)[key]
    : undefined;
}
