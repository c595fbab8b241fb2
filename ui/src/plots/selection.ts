import { useNavigate, useRouterState, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { ranges } from '@/app/search';

/**
 * Which experiments are selected, and which one the pointer is on: one for all plots and tables of a page. What is selected
 * stands in the address (`?sel=1-3,7`), so that a view can be shared; what is hovered does not.
 */
export interface Selection {
  selected: ReadonlySet<number>;
  hovered: number | null;
}

const NOTHING: ReadonlySet<number> = new Set();
let selection: Selection = { selected: NOTHING, hovered: null };
const listeners = new Set<() => void>();

function change(next: Selection) {
  selection = next;
  for (const listener of listeners) listener();
}

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hears every change of selection and pointer; returns what ends it. For what must not draw anew when the pointer moves. */
export function onSelection(listener: (now: Selection) => void): () => void {
  return watch(() => listener(selection));
}

export function select(numbers: Iterable<number>) {
  const next = new Set(numbers);
  if (ranges([...next]) === ranges([...selection.selected])) return;
  change({ ...selection, selected: next.size ? next : NOTHING });
}

export function toggle(number: number) {
  const next = new Set(selection.selected);
  if (!next.delete(number)) next.add(number);
  select(next);
}

export function clear() {
  select([]);
}

export function hover(number: number | null) {
  if (number !== selection.hovered) change({ ...selection, hovered: number });
}

/** The selection with what changes it. */
export function useSelection() {
  const now = useSyncExternalStore(watch, () => selection);
  return { ...now, select, toggle, clear, hover };
}

/** The selected numbers alone: does not draw anew when only the pointer moves. */
export function useSelected(): ReadonlySet<number> {
  return useSyncExternalStore(watch, () => selection.selected);
}

/** How long after the last change the address follows, ms: a brush changes it with each move of the pointer. */
const SETTLE_MS = 200;

/** Stands once in the shell: keeps selection and address the same. */
export function useSelectionInAddress() {
  const { sel } = useSearch({ strict: false }) as { sel?: number[] };
  const path = useRouterState({ select: (state) => state.location.pathname });
  const navigate = useNavigate();
  const inAddress = ranges(sel ?? []);
  const written = useRef<string | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another selection
  useEffect(() => {
    // What we wrote ourselves may be older than what is selected by now.
    if (written.current !== inAddress) select(sel ?? []);
    written.current = null;
  }, [inAddress, path]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => hover(null), [path]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = () => {
      clearTimeout(timer);
      const numbers = [...selection.selected];
      if (ranges(numbers) === inAddress) return;
      timer = setTimeout(() => {
        written.current = ranges(numbers);
        const search = (old: object) => ({ ...old, sel: numbers.length ? numbers : undefined });
        void navigate({ to: '.', search: search as never, replace: true, resetScroll: false });
      }, SETTLE_MS);
    };
    const end = watch(follow);
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [inAddress, navigate]);
}
