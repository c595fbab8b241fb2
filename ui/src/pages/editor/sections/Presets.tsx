import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Merge, type Merged, type Preset, useMerged, usePresets } from '@/api/presets';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { INPUT } from '@/components/Field';
import { MergeChoice, MergeView } from '@/components/presets/MergeView';
import { Empty, Loaded } from '@/components/States';
import { Checkbox } from '@/components/Toggle';
import { insertAt, removeIn, setIn } from '@/document/edit';
import { FindingText } from '@/document/fields/words';
import { useForm } from '@/document/form';
import { isRecord } from '@/document/path';
import { editor as words } from '@/text/editor';
import { useAround } from '../knowledge';

const PATH = ['search_space', 'presets'];

/** Sets of parameters that the task takes over. What the task says itself counts over them. */
export function Presets() {
  const form = useForm();
  const { engine } = useAround();
  const presets = usePresets(engine ? { engine } : {});
  const value = form.at(PATH);
  const chosen = Array.isArray(value) ? value.map(String) : [];
  const merge = (form.at(['search_space', 'merge']) as Merge | undefined) ?? 'union';
  const merged = useMerged(chosen, merge);
  // What the task overrules is told in the table below.
  const findings = form.under(PATH, ['search_space', 'merge']).filter(({ severity }) => severity === 'error');
  const toggle = (name: string, on: boolean) => {
    if (on) form.insert(PATH, chosen.length, name);
    else form.remove([...PATH, chosen.indexOf(name)]);
  };
  return (
    <>
      <Panel title={words.presets.choose} note={words.presets.for(engine)}>
        <Loaded
          of={presets}
          empty={
            <Empty title={words.presets.none} text={words.presets.noneHint}>
              <Link to="/presets" className="text-accent underline">
                {words.presets.toPresets}
              </Link>
            </Empty>
          }
        >
          {(list) => <PresetList list={list} chosen={chosen} onToggle={toggle} />}
        </Loaded>
        {findings.map((finding) => (
          <p key={`${finding.field} ${finding.message}`} className="mt-1 text-xs text-bad">
            <FindingText finding={finding} />
          </p>
        ))}
      </Panel>
      {chosen.length > 0 && (
        <Panel title={words.presets.together} note={chosen.join(' + ')}>
          <div className="space-y-3">
            {chosen.length > 1 && (
              <MergeChoice
                value={merge}
                onChange={(next) => form.set(['search_space', 'merge'], next === 'union' ? undefined : next)}
              />
            )}
            <Loaded of={merged}>{(found) => <Together merged={found} />}</Loaded>
          </div>
        </Panel>
      )}
    </>
  );
}

const plain = (name: string) => name.replaceAll('_', '-');

function Together({ merged }: { merged: Merged }) {
  const form = useForm();
  const names = (place: string[]) => {
    const value = form.at(place);
    return new Set(isRecord(value) ? Object.keys(value).map(plain) : []);
  };
  const own = names(['search_space', 'parameters']);
  const fixed = names(['engine', 'fixed']);
  const overruled = (name: string) =>
    own.has(plain(name)) ? words.presets.own : fixed.has(plain(name)) ? words.presets.fixed : null;
  const copy = () =>
    form.change((text, guide) => {
      const old = form.at(['search_space', 'constraints']);
      const constraints = Array.isArray(old) ? old : [];
      const fresh = Object.entries(merged.parameters).filter(([name]) => !overruled(name));
      let next = fresh.reduce(
        (all, [name, spec]) => setIn(all, ['search_space', 'parameters', name], spec, guide),
        text,
      );
      const more = merged.constraints.filter((one) => !constraints.includes(one));
      more.forEach((one, n) => {
        next = insertAt(next, ['search_space', 'constraints'], constraints.length + n, one, guide);
      });
      next = removeIn(next, ['search_space', 'merge'], guide);
      return removeIn(next, PATH, guide);
    });
  return (
    <>
      <MergeView merged={merged} overruled={overruled} />
      <div className="flex flex-wrap items-center gap-2">
        <Button size="sm" onClick={copy}>
          {words.presets.copy}
        </Button>
        <span className="text-xs text-faint">{words.presets.copyHelp}</span>
      </div>
    </>
  );
}

function PresetList({
  list,
  chosen,
  onToggle,
}: {
  list: Preset[];
  chosen: string[];
  onToggle: (name: string, on: boolean) => void;
}) {
  const [typed, setTyped] = useState('');
  const wanted = typed.trim().toLowerCase();
  const fits = (preset: Preset) =>
    `${preset.name} ${preset.category} ${preset.description ?? ''}`.toLowerCase().includes(wanted);
  const shown = list.filter((preset) => chosen.includes(preset.name) || fits(preset));
  const unknown = chosen.filter((name) => !list.some((preset) => preset.name === name));
  return (
    <div className="space-y-2">
      <input
        type="search"
        aria-label={words.presets.find}
        placeholder={words.presets.find}
        className={INPUT}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <ul className="max-h-96 space-y-1 overflow-y-auto" tabIndex={-1}>
        {unknown.map((name) => (
          <li key={name}>
            <Checkbox
              label={<span className="font-mono text-bad">{name}</span>}
              checked
              onChange={() => onToggle(name, false)}
              hint={words.presets.unknown}
            />
          </li>
        ))}
        {shown.map((preset) => (
          <li key={preset.name} className="rounded-sm px-1 py-0.5 hover:bg-hover">
            <Checkbox
              checked={chosen.includes(preset.name)}
              onChange={(on) => onToggle(preset.name, on)}
              label={
                <span className="inline-flex flex-wrap items-center gap-1.5">
                  <span className="font-mono text-xs">{preset.name}</span>
                  <Badge>{preset.category}</Badge>
                  {!preset.engine && <Badge>{words.presets.anyEngine}</Badge>}
                </span>
              }
              hint={preset.description ?? Object.keys(preset.parameters).join(', ')}
            />
          </li>
        ))}
      </ul>
      {shown.length === 0 && unknown.length === 0 && <p className="text-muted">{words.presets.noMatch(typed)}</p>}
    </div>
  );
}
