import { ListFilter, X } from 'lucide-react';
import { type FormEvent, useId, useMemo, useState } from 'react';
import { Button } from '@/components/Button';
import { cx } from '@/components/cx';
import { INPUT } from '@/components/Field';
import type { Quantity } from '@/plots/data/axes';
import type { Point } from '@/plots/data/points';
import { stateWord } from '@/plots/marks';
import { StateMark } from '@/plots/StateLegend';
import { STATES } from '@/plots/theme';
import { task as words } from '@/text/task';
import { isField, parseTerm, type Term, termText, toggleState, withTerm } from './filter';

interface FilterBarProps {
  points: readonly Point[];
  shown: number;
  known: readonly Quantity[];
  terms: readonly Term[];
  onChange: (terms: Term[]) => void;
}

/** What plots and table show: outcomes by a click, everything else by a term; each term is a chip. */
export function FilterBar({ points, shown, known, terms, onChange }: FilterBarProps) {
  const counts = useMemo(() => {
    const found = new Map<string, number>();
    for (const { state } of points) found.set(state, (found.get(state) ?? 0) + 1);
    return found;
  }, [points]);
  const states = STATES.filter((state) => counts.has(state));
  const chosen = terms.find(({ field, op }) => field === 'state' && op === '=')?.values ?? [];
  const chips = terms.filter(({ field, op }) => !(field === 'state' && op === '='));
  return (
    <section aria-label={words.filter.label} className="mb-3 flex flex-wrap items-center gap-2">
      <div role="group" aria-label={words.filter.states} className="flex flex-wrap gap-1">
        {states.map((state) => (
          <button
            key={state}
            type="button"
            aria-pressed={chosen.includes(state)}
            onClick={() => onChange(toggleState(terms, state))}
            className={cx(
              'flex h-7 items-center gap-1.5 rounded-md border px-2 text-xs hover:bg-hover',
              chosen.includes(state)
                ? 'border-accent bg-accent-soft font-medium text-accent'
                : 'border-edge/60 bg-surface text-ink',
            )}
          >
            <StateMark state={state} />
            {stateWord(state)}
            <span className="text-faint">{counts.get(state)}</span>
          </button>
        ))}
      </div>
      <AddTerm known={known} onAdd={(term) => onChange(withTerm(terms, term))} />
      {chips.map((term) => {
        const text = termText(term);
        return (
          <button
            key={text}
            type="button"
            aria-label={words.filter.remove(text)}
            onClick={() => onChange(terms.filter((other) => other !== term))}
            className="flex h-7 max-w-full items-center gap-1 rounded-md bg-accent-soft px-2 font-mono text-xs text-accent hover:bg-hover"
          >
            <span className="truncate">{text}</span>
            <X aria-hidden className="size-3.5 shrink-0" />
          </button>
        );
      })}
      {terms.length > 0 && (
        <>
          <Button size="sm" tone="quiet" onClick={() => onChange([])}>
            {words.filter.clear}
          </Button>
          <span role="status" className="text-xs text-muted">
            {words.filter.shown(shown, points.length)}
          </span>
        </>
      )}
    </section>
  );
}

function AddTerm({ known, onAdd }: { known: readonly Quantity[]; onAdd: (term: Term) => void }) {
  const id = useId();
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    const term = parseTerm(text);
    if (!term || !isField(term.field, known)) {
      setWrong(words.filter.wrong(text.trim()));
      return;
    }
    onAdd(term);
    setText('');
    setWrong(null);
  };
  return (
    <form onSubmit={submit} className="relative">
      <ListFilter aria-hidden className="absolute left-2 top-1.5 size-4 text-faint" />
      <input
        aria-label={words.filter.add}
        aria-describedby={`${id}-help`}
        aria-invalid={wrong !== null || undefined}
        title={words.filter.help}
        list={`${id}-fields`}
        autoComplete="off"
        spellCheck={false}
        placeholder={words.filter.placeholder}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setWrong(null);
        }}
        className={cx(INPUT, 'h-7 w-56 pl-7 text-xs')}
      />
      <datalist id={`${id}-fields`}>
        {known.map((quantity) => (
          <option key={quantity.id} value={`${quantity.id} `}>
            {quantity.label}
          </option>
        ))}
      </datalist>
      <span
        id={`${id}-help`}
        className={wrong ? 'ml-2 text-xs text-bad' : 'sr-only'}
        role={wrong ? 'alert' : undefined}
      >
        {wrong ?? words.filter.help}
      </span>
    </form>
  );
}
