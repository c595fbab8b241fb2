import { Check, Minus } from 'lucide-react';
import { Checkbox as RadixCheckbox, Switch as RadixSwitch } from 'radix-ui';
import { type ReactNode, useId } from 'react';

interface ToggleProps {
  label: ReactNode;
  hideLabel?: boolean;
  hint?: ReactNode;
  disabled?: boolean;
}

/** Holds at once. */
export function Switch({
  label,
  hideLabel,
  hint,
  checked,
  onChange,
  disabled,
}: ToggleProps & { checked: boolean; onChange: (checked: boolean) => void }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <RadixSwitch.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        disabled={disabled}
        className="mt-0.5 h-4 w-7 shrink-0 rounded-full border border-edge bg-sunken transition-colors disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <RadixSwitch.Thumb className="block size-3 translate-x-px rounded-full bg-edge transition-transform data-[state=checked]:translate-x-[13px] data-[state=checked]:bg-on-accent" />
      </RadixSwitch.Root>
      <Words id={id} label={label} hideLabel={hideLabel} hint={hint} />
    </div>
  );
}

/** One of several; `indeterminate` is some of those below. */
export function Checkbox({
  label,
  hideLabel,
  hint,
  checked,
  onChange,
  disabled,
}: ToggleProps & { checked: boolean | 'indeterminate'; onChange: (checked: boolean) => void }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <RadixCheckbox.Root
        id={id}
        checked={checked}
        onCheckedChange={(is) => onChange(is === true)}
        disabled={disabled}
        className="mt-0.5 flex size-4 shrink-0 items-center justify-center rounded-sm border border-edge bg-surface text-on-accent disabled:opacity-50 data-[state=unchecked]:text-transparent data-[state=checked]:border-accent data-[state=indeterminate]:border-accent data-[state=checked]:bg-accent data-[state=indeterminate]:bg-accent"
      >
        <RadixCheckbox.Indicator>
          {checked === 'indeterminate' ? (
            <Minus aria-hidden className="size-3" />
          ) : (
            <Check aria-hidden className="size-3" />
          )}
        </RadixCheckbox.Indicator>
      </RadixCheckbox.Root>
      <Words id={id} label={label} hideLabel={hideLabel} hint={hint} />
    </div>
  );
}

function Words({
  id,
  label,
  hideLabel,
  hint,
}: {
  id: string;
  label: ReactNode;
  hideLabel?: boolean;
  hint?: ReactNode;
}) {
  return (
    <div className={hideLabel ? 'sr-only' : 'min-w-0'}>
      <label htmlFor={id}>{label}</label>
      {hint && <div className="text-xs text-faint">{hint}</div>}
    </div>
  );
}
