import { cx } from '@/components/cx';
import { taskPlots as words } from '@/text/taskPlots';
import type { Quantity } from './data/axes';

const LOOK = 'h-7 rounded-md border border-edge/60 bg-surface px-1 text-xs text-ink hover:bg-hover';

interface PressedProps {
  label: string;
  help?: string;
  on: boolean;
  onChange: (on: boolean) => void;
}

/** A small switch in the head of a plot. */
export function Pressed({ label, help, on, onChange }: PressedProps) {
  return (
    <button
      type="button"
      title={help}
      aria-pressed={on}
      onClick={() => onChange(!on)}
      className={cx(LOOK, on && 'border-accent bg-accent-soft font-medium text-accent')}
    >
      {label}
    </button>
  );
}

export interface Choice {
  value: string;
  label: string;
  group?: string;
}

/** A small list in the head of a plot. */
export function Pick({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: string;
  choices: readonly Choice[];
  onChange: (value: string) => void;
}) {
  const groups = [...new Set(choices.map((choice) => choice.group))];
  const options = (group: string | undefined) =>
    choices
      .filter((choice) => choice.group === group)
      .map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ));
  return (
    <label className="flex min-w-0 items-center gap-1 text-xs text-muted">
      <span aria-hidden className="hidden sm:inline">
        {label}
      </span>
      <select
        aria-label={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className={cx(LOOK, 'max-w-28 truncate')}
      >
        {groups.map((group) =>
          group === undefined ? (
            options(group)
          ) : (
            <optgroup key={group} label={group}>
              {options(group)}
            </optgroup>
          ),
        )}
      </select>
    </label>
  );
}

/** Quantities as choices, grouped by what they are. */
export function choicesOf(all: readonly Quantity[]): Choice[] {
  return all.map(({ id, label, short, group }) => ({ value: id, label: short ?? label, group: words.groups[group] }));
}
