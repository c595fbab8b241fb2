import { type FormEvent, useId, useMemo, useState } from 'react';
import { useProposals } from '@/api/proposals';
import type { Configuration, FlagValue, ParameterSpec } from '@/api/types';
import { toast } from '@/app/toasts';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { NumberField } from '@/components/Field';
import { Select } from '@/components/Select';
import { flagValue } from '@/format';
import { common } from '@/text/common';
import { experiment as words } from '@/text/experiment';
import { changedNames, choiceOf, startValues, wordOf } from './neighbour';

interface NeighbourDialogProps {
  task: string;
  parameters: Record<string, ParameterSpec>;
  from: Configuration;
  onClose: () => void;
}

/** A form with the task's parameters, begun with those of the experiment: what is sent is tried next. */
export function NeighbourDialog({ task, parameters, from, onClose }: NeighbourDialogProps) {
  const form = useId();
  const start = useMemo(() => startValues(parameters, from), [parameters, from]);
  const [values, setValues] = useState(start);
  const [isKnown, setKnown] = useState(false);
  const propose = useProposals();
  const changed = changedNames(from, values);
  const set = (name: string, value: FlagValue) => {
    setKnown(false);
    setValues((old) => ({ ...old, [name]: value }));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    propose.mutate(
      { task, configurations: [values] },
      {
        onSuccess: ({ new: taken }) => {
          if (taken.length === 0) return setKnown(true);
          toast({ tone: 'info', title: words.neighbourDone });
          onClose();
        },
      },
    );
  };
  const { error } = propose;
  const said = error
    ? error.hint
      ? `${error.message}. ${error.hint}`
      : error.message
    : isKnown
      ? words.neighbourKnown
      : null;
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={words.neighbourTitle}
      description={words.neighbourText}
      actions={
        <>
          <span className="mr-auto self-center text-xs text-muted">
            {changed.length ? words.changed(changed.length) : words.neighbourSame}
          </span>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button tone="primary" type="submit" form={form} busy={propose.isPending} disabled={changed.length === 0}>
            {words.neighbourAction}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="grid gap-3 sm:grid-cols-2">
        {Object.entries(parameters).map(([name, spec]) => (
          <Parameter
            key={name}
            name={name}
            spec={spec}
            value={values[name] ?? null}
            isChanged={changed.includes(name)}
            was={from[name]}
            onChange={(value) => set(name, value)}
          />
        ))}
      </form>
      {said && (
        <p role="alert" className="mt-3 text-bad [overflow-wrap:anywhere]">
          {said}
        </p>
      )}
    </Dialog>
  );
}

interface ParameterProps {
  name: string;
  spec: ParameterSpec;
  value: FlagValue;
  was: FlagValue | undefined;
  isChanged: boolean;
  onChange: (value: FlagValue) => void;
}

function Parameter({ name, spec, value, was, isChanged, onChange }: ParameterProps) {
  const choice = choiceOf(spec);
  const hint = isChanged ? words.from(was === undefined ? words.engineDefault : flagValue(was)) : undefined;
  if (choice.kind === 'range') {
    return (
      <NumberField
        label={name}
        hint={hint ?? `${choice.low} … ${choice.high}`}
        min={choice.low}
        max={choice.high}
        value={typeof value === 'number' ? value : undefined}
        onChange={(typed) => typed !== undefined && onChange(choice.isInteger ? Math.round(typed) : typed)}
      />
    );
  }
  return (
    <Select
      label={name}
      hint={hint}
      value={wordOf(value)}
      options={choice.values.map((one) => ({ value: wordOf(one), label: flagValue(one) }))}
      onChange={(word) => onChange(JSON.parse(word) as FlagValue)}
    />
  );
}
