import { useEffect, useMemo } from 'react';
import { useExperiments } from '@/api/experiments';
import { BLOCK_FIELDS } from '@/pages/tasks/counts';
import type { Neighbours } from './Head';

/** The experiments before and after one, and the number of the baseline. */
export function useNeighbours(task: string, number: number): Neighbours & { baseline: number | undefined } {
  const list = useExperiments(task, BLOCK_FIELDS);
  return useMemo(() => {
    const items = list.data ?? [];
    const at = items.findIndex((item) => item.number === number);
    return {
      previous: at > 0 ? items[at - 1]?.number : undefined,
      next: at >= 0 ? items[at + 1]?.number : undefined,
      all: items.length,
      baseline: items.find((item) => item.role.kind === 'baseline')?.number,
    };
  }, [list.data, number]);
}

/** K and J go to the experiment before and after, unless somebody types. */
export function useWalkingKeys({ previous, next }: Neighbours, go: (number: number) => void) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target as HTMLElement;
      if (target.closest('input,textarea,select,[contenteditable],[role=dialog],[role=menu]')) return;
      const wanted = event.key === 'k' ? previous : event.key === 'j' ? next : undefined;
      if (wanted !== undefined) go(wanted);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [previous, next, go]);
}
