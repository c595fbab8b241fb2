import { Segmented } from '@/components/Segmented';
import { Switch } from '@/components/Toggle';
import { ChoiceAt, NumberAt } from '@/document/fields/ScalarFields';
import { useForm } from '@/document/form';
import { isRecord, type Path } from '@/document/path';
import { editor as words } from '@/text/editor';

type Spread = 'fixed' | 'exponential' | 'uniform';

/** Requests that follow each other, with think times between them. */
export function ConversationAt({ path }: { path: Path }) {
  const form = useForm();
  const value = form.at(path);
  const isOn = isRecord(value);
  return (
    <div className="space-y-3">
      <Switch
        label={words.workload.talks}
        hint={words.workload.talksHelp}
        checked={isOn}
        onChange={(on) => form.set(path, on ? { turns: 4 } : undefined)}
      />
      {isOn && (
        <div className="grid gap-3 sm:grid-cols-2">
          <TurnsAt path={[...path, 'turns']} />
          <ThinkAt path={[...path, 'think_s']} />
          <ChoiceAt path={[...path, 'answers']} />
        </div>
      )}
    </div>
  );
}

function TurnsAt({ path }: { path: Path }) {
  const form = useForm();
  const isRange = isRecord(form.at(path));
  return (
    <fieldset className="min-w-0 space-y-2">
      <legend className="mb-1 font-medium">{words.workload.turns}</legend>
      <Segmented
        label={words.workload.turns}
        value={isRange ? 'range' : 'fixed'}
        options={[
          { value: 'fixed', label: words.workload.always },
          { value: 'range', label: words.workload.between },
        ]}
        onChange={(next) => form.set(path, next === 'range' ? { low: 2, high: 8 } : 4)}
      />
      {isRange ? (
        <div className="grid grid-cols-2 gap-2">
          <NumberAt path={[...path, 'low']} hint={null} />
          <NumberAt path={[...path, 'high']} hint={null} />
        </div>
      ) : (
        <NumberAt path={path} hideLabel hint={null} placeholder={words.workload.turnsDefault} />
      )}
    </fieldset>
  );
}

export function ThinkAt({ path }: { path: Path }) {
  const form = useForm();
  const value = form.at(path);
  const kind: Spread = !isRecord(value) ? 'fixed' : value.mean_s !== undefined ? 'exponential' : 'uniform';
  const first: Record<Spread, unknown> = { fixed: 5, exponential: { mean_s: 5 }, uniform: { low_s: 1, high_s: 9 } };
  return (
    <fieldset className="min-w-0 space-y-2">
      <legend className="mb-1 font-medium">{words.workload.think}</legend>
      <Segmented
        label={words.workload.think}
        value={kind}
        options={(['fixed', 'exponential', 'uniform'] as Spread[]).map((one) => ({
          value: one,
          label: words.workload.thinks[one],
        }))}
        onChange={(next) => form.set(path, first[next])}
      />
      {kind === 'fixed' && <NumberAt path={path} hideLabel hint={null} placeholder={words.workload.noThink} />}
      {kind === 'exponential' && <NumberAt path={[...path, 'mean_s']} label={words.workload.mean} hint={null} />}
      {kind === 'uniform' && (
        <div className="grid grid-cols-2 gap-2">
          <NumberAt path={[...path, 'low_s']} hint={null} />
          <NumberAt path={[...path, 'high_s']} hint={null} />
        </div>
      )}
    </fieldset>
  );
}
