import { useMemo, useState } from 'react';
import type { Column } from './DataTable';

export interface Sort {
  id: string;
  descending?: boolean;
}

export type SortKey = string | number | boolean | null | undefined;

/** A sort as a word of the address: `objective` or `-objective`. */
export function sortWord(sort: Sort | undefined): string | undefined {
  return sort && `${sort.descending ? '-' : ''}${sort.id}`;
}

export function readSort(word: string | undefined): Sort | undefined {
  if (!word) return undefined;
  return word.startsWith('-') ? { id: word.slice(1), descending: true } : { id: word };
}

const words = new Intl.Collator('en', { numeric: true });

function compare(a: SortKey, b: SortKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return words.compare(String(a), String(b));
}

function isAbsent(key: SortKey): boolean {
  return key === null || key === undefined || Number.isNaN(key);
}

/** Rows in order; equal ones keep theirs, absent keys come last, pinned rows first. */
export function sorted<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sort: Sort | undefined,
  pinned?: (row: T) => boolean,
): readonly T[] {
  const key = sort && columns.find((column) => column.id === sort.id)?.sort;
  if (!key && !pinned) return rows;
  const turn = sort?.descending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: key?.(row), first: pinned?.(row) ?? false }));
  keyed.sort((a, b) => {
    if (a.first !== b.first) return a.first ? -1 : 1;
    if (!key) return 0;
    const [noA, noB] = [isAbsent(a.key), isAbsent(b.key)];
    if (noA || noB) return Number(noA) - Number(noB);
    return turn * compare(a.key, b.key);
  });
  return keyed.map(({ row }) => row);
}

/** A sort that the page holds, or the table itself. */
export function useSort(given: Sort | undefined, onSort?: (sort: Sort | undefined) => void) {
  const [own, setOwn] = useState(given);
  return onSort ? ([given, onSort] as const) : ([own, setOwn] as const);
}

type Chosen = Record<string, boolean>;

function read(name: string | undefined): Chosen {
  try {
    return JSON.parse((name && localStorage.getItem(`autotuner.columns.${name}`)) || '{}') as Chosen;
  } catch {
    return {};
  }
}

/** Which columns are shown; a named table remembers what a person chose. */
export function useColumns<T>(name: string | undefined, columns: readonly Column<T>[]) {
  const [chosen, setChosen] = useState(() => read(name));
  const hidden = useMemo(
    () => new Set(columns.filter((column) => !(chosen[column.id] ?? !column.hidden)).map((column) => column.id)),
    [columns, chosen],
  );
  const shown = useMemo(() => columns.filter((column) => !hidden.has(column.id)), [columns, hidden]);
  const toggle = (id: string) => {
    const next = { ...chosen, [id]: hidden.has(id) };
    setChosen(next);
    try {
      if (name) localStorage.setItem(`autotuner.columns.${name}`, JSON.stringify(next));
    } catch {
      // Without storage the choice holds until the page is loaded again.
    }
  };
  return { shown, isHidden: (id: string) => hidden.has(id), toggle };
}
