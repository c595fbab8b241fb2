import { createContext, type ReactNode, useContext, useMemo } from 'react';
import type { Finding } from '@/api/error';
import { move, renameKey } from './arrange';
import { type Guide, insertAt, removeIn, setIn } from './edit';
import { type Path, pathText, valueAt } from './path';
import { sourceAt } from './read';
import { isRequired, orderAt, propertiesAt, type Schema, schemaAt } from './schema';
import { type DocumentState, type DocumentStore, useDocumentState } from './store';

/** A document as a form sees it. Places are paths; every change is cut into the text. */
export interface Form {
  state: DocumentState;
  schema: Schema;
  value: Record<string, unknown>;
  at: (path: Path) => unknown;
  /** A scalar as it is written. */
  source: (path: Path) => string | undefined;
  schemaAt: (path: Path) => Schema | undefined;
  findings: readonly Finding[];
  /** As findings name a place. */
  fieldOf: (path: Path) => string;
  /** The first error at exactly this place. */
  error: (path: Path) => Finding | undefined;
  /** Everything at and below these places. */
  under: (...paths: Path[]) => Finding[];
  /** Sets a value; `undefined` takes it out. */
  set: (path: Path, value: unknown) => void;
  remove: (path: Path) => void;
  insert: (path: Path, index: number, value: unknown) => void;
  rename: (path: Path, name: string) => void;
  move: (path: Path, by: -1 | 1) => void;
  /** Several changes as one. */
  change: (edit: (text: string, guide: Guide) => string, tag?: string) => void;
}

const Context = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(Context);
  if (!form) throw new Error('a field stands outside a form');
  return form;
}

const NONE: readonly Finding[] = [];

export function FormProvider({
  store,
  schema,
  findings = NONE,
  children,
}: {
  store: DocumentStore;
  schema: Schema;
  findings?: readonly Finding[];
  children: ReactNode;
}) {
  const state = useDocumentState(store);
  const form = useMemo(() => formOf(store, state, schema, findings), [store, state, schema, findings]);
  return <Context value={form}>{children}</Context>;
}

function formOf(store: DocumentStore, state: DocumentState, schema: Schema, findings: readonly Finding[]): Form {
  const { parsed } = state;
  const value = parsed.value;
  const guide: Guide = {
    order: (path) => orderAt(schema, path, value),
    // Entries that people name (parameters, flags) stay until they are taken out themselves.
    required: (path) => isRequired(schema, path, value) || !isNamed(schema, path, value),
  };
  const change: Form['change'] = (edit, tag = '') => store.set(edit(store.state.text, guide), 'form', tag);
  const set: Form['set'] = (path, next) =>
    change(
      (text) => (next === undefined ? removeIn(text, path, guide) : setIn(text, path, next, guide)),
      pathText(path),
    );
  return {
    state,
    schema,
    value,
    at: (path) => valueAt(value, path),
    source: (path) => sourceAt(parsed.doc, path),
    schemaAt: (path) => schemaAt(schema, path, value),
    findings,
    fieldOf: pathText,
    error: (path) => {
      const field = pathText(path);
      return findings.find((finding) => finding.severity === 'error' && finding.field === field);
    },
    under: (...paths) => findings.filter((finding) => paths.some((path) => isUnder(finding.field, pathText(path)))),
    set,
    remove: (path) => set(path, undefined),
    insert: (path, index, next) => change((text) => insertAt(text, path, index, next, guide)),
    rename: (path, name) => change((text) => renameKey(text, path, name)),
    move: (path, by) => change((text) => move(text, path, by)),
    change,
  };
}

function isNamed(schema: Schema, path: Path, value: unknown): boolean {
  return propertiesAt(schema, path.slice(0, -1), value).has(String(path.at(-1)));
}

/** Whether a field of a finding is a place or something in it. */
export function isUnder(field: string, place: string): boolean {
  if (place === '' || field === place) return true;
  return field.startsWith(place) && /^[.[]/.test(field.slice(place.length));
}
