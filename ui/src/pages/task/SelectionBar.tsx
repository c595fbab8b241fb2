import { useNavigate } from '@tanstack/react-router';
import { Filter, GitCompare, PanelRight, X } from 'lucide-react';
import { useState } from 'react';
import type { Report } from '@/api/types';
import { Button, IconButton } from '@/components/Button';
import { CopyButton } from '@/components/Copy';
import type { PlotTask } from '@/plots/data/points';
import { clear, hover, toggle, useSelected } from '@/plots/selection';
import { task as words } from '@/text/task';
import { ExperimentDrawer } from './ExperimentDrawer';

/** So many are named; the others are counted. */
const NAMED = 12;
const MOST_COMPARED = 6;

interface SelectionBarProps {
  task: PlotTask;
  report: Report | undefined;
  /** Shows nothing but these. */
  onOnly: (numbers: number[]) => void;
}

/** What is selected in plots and table, and what can be done with it. Stays in sight. */
export function SelectionBar({ task, report, onOnly }: SelectionBarProps) {
  const navigate = useNavigate();
  const selected = useSelected();
  const [shown, setShown] = useState<number | null>(null);
  if (selected.size === 0) return null;
  const numbers = [...selected].sort((a, b) => a - b);
  const mayCompare = numbers.length >= 2 && numbers.length <= MOST_COMPARED;
  return (
    <section
      aria-label={words.selection.label}
      className="sticky bottom-3 z-20 mx-auto mt-3 flex w-fit max-w-full flex-wrap items-center gap-2 rounded-lg border border-line bg-raised px-3 py-2 shadow-pop"
    >
      <span role="status" className="font-medium">
        {words.selection.count(numbers.length)}
      </span>
      <ul className="hidden flex-wrap gap-1 sm:flex">
        {numbers.slice(0, NAMED).map((number) => (
          <li key={number}>
            <button
              type="button"
              aria-label={words.selection.remove(number)}
              onClick={() => toggle(number)}
              onMouseEnter={() => hover(number)}
              onMouseLeave={() => hover(null)}
              className="flex h-6 items-center gap-0.5 rounded-sm bg-accent-soft px-1.5 text-xs text-accent hover:bg-hover"
            >
              #{number}
              <X aria-hidden className="size-3" />
            </button>
          </li>
        ))}
        {numbers.length > NAMED && (
          <li className="text-xs leading-6 text-muted">{words.selection.more(numbers.length - NAMED)}</li>
        )}
      </ul>
      <div className="flex flex-wrap gap-1">
        <Button
          size="sm"
          icon={<PanelRight aria-hidden className="size-4" />}
          onClick={() => setShown(numbers[0] ?? null)}
        >
          {words.selection.details}
        </Button>
        <Button
          size="sm"
          disabled={!mayCompare}
          title={mayCompare ? undefined : words.selection.compareHint}
          icon={<GitCompare aria-hidden className="size-4" />}
          onClick={() => void navigate({ to: '/compare', search: { task: task.id, sel: numbers } })}
        >
          {words.selection.compare}
        </Button>
        <Button size="sm" icon={<Filter aria-hidden className="size-4" />} onClick={() => onOnly(numbers)}>
          {words.selection.only}
        </Button>
        <CopyButton text={() => window.location.href} label={words.selection.copyLink} />
        <IconButton
          size="sm"
          label={words.selection.clear}
          icon={<X aria-hidden className="size-4" />}
          onClick={clear}
        />
      </div>
      {shown !== null && (
        <ExperimentDrawer
          task={task}
          report={report}
          numbers={numbers}
          number={shown}
          onShow={setShown}
          onClose={() => setShown(null)}
        />
      )}
    </section>
  );
}
