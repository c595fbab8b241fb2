import type { EngineParameter } from '@/api/engines';
import { Select } from '@/components/Select';
import { parameters as words } from '@/text/parameters';
import { NumberAt, SwitchAt, TextAt } from '../fields/ScalarFields';
import { ValueList } from '../fields/ValueList';
import { FindingText } from '../fields/words';
import { useForm } from '../form';
import { converted, type SpecKind, specKind } from '../parameter';
import { isRecord, type Path } from '../path';

/** Values, range or switch of one parameter, and where it exists. */
export function ParameterEditor({ path, known }: { path: Path; known: EngineParameter | undefined }) {
  const form = useForm();
  const spec = form.at(path);
  const name = String(path.at(-1));
  const kind = specKind(spec);
  const findings = form.under(path).filter((finding) => finding.field === form.fieldOf(path));
  return (
    <div className="space-y-2">
      <div className="grid gap-2 sm:grid-cols-[9rem_minmax(0,1fr)]">
        <Select
          label={words.kindOf(name)}
          hideLabel
          value={kind}
          options={[
            { value: 'values', label: words.kinds.values },
            { value: 'range', label: words.kinds.range },
            { value: 'switch', label: words.kinds.switch },
          ]}
          onChange={(next: SpecKind) => form.set(path, converted(spec, next, known))}
        />
        {kind === 'values' && (
          <ValueList
            path={Array.isArray(spec) || spec === undefined || spec === null ? path : [...path, 'values']}
            label={words.valuesOf(name)}
            known={suggestions(known)}
          />
        )}
        {kind === 'range' && <Range path={path} />}
        {kind === 'switch' && <p className="self-center text-muted">{words.switchHelp}</p>}
      </div>
      {findings.map((finding) => (
        <p key={finding.message} className={finding.severity === 'error' ? 'text-xs text-bad' : 'text-xs text-muted'}>
          <FindingText finding={finding} />
        </p>
      ))}
      <When path={path} kind={kind} />
    </div>
  );
}

function suggestions(known: EngineParameter | undefined): unknown[] {
  if (known?.kind === 'choice') return [...known.values, null];
  if (known?.kind === 'switch') return [true, false];
  return Array.isArray(known?.tunable) ? known.tunable : [];
}

function Range({ path }: { path: Path }) {
  const form = useForm();
  const spec = form.at(path);
  const isLog = isRecord(spec) && spec.log === true;
  return (
    <div className="grid grid-cols-2 items-end gap-2 sm:grid-cols-[1fr_1fr_1fr_auto]">
      <NumberAt path={[...path, 'low']} hint={null} />
      <NumberAt path={[...path, 'high']} hint={null} />
      <NumberAt path={[...path, 'step']} hint={null} placeholder={words.noStep} />
      <div className="pb-1.5">
        <SwitchAt path={[...path, 'log']} hint={null} />
      </div>
      <p className="col-span-full text-xs text-faint">{isLog ? words.logHelp : words.rangeHelp}</p>
    </div>
  );
}

/** The condition of a parameter; it needs the form with fields. */
function When({ path, kind }: { path: Path; kind: SpecKind }) {
  const form = useForm();
  const spec = form.at(path);
  if (isRecord(spec)) {
    return (
      <TextAt path={[...path, 'when']} mono placeholder={words.whenExample} hint={words.whenHelp} keepEmpty={false} />
    );
  }
  const asFields = kind === 'switch' ? { type: 'bool' } : { values: spec ?? [] };
  return (
    <TextAt
      path={[...path, 'when']}
      mono
      placeholder={words.whenExample}
      hint={words.whenHelp}
      onText={(text) => form.set(path, { ...asFields, when: text })}
    />
  );
}
