import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { Empty, Loaded } from '@/components/States';
import { insertAt, removeIn, setIn } from '@/document/edit';
import { Help } from '@/document/fields/words';
import { useForm } from '@/document/form';
import { specText } from '@/document/parameter';
import { isRecord } from '@/document/path';
import { inline } from '@/document/write';
import { editor as words } from '@/text/editor';
import { useAround } from '../knowledge';
import { PreviewList } from '../PreviewList';
import { type Flags, isNothing, NOTHING, TRANSLATED, translate, type Unified } from '../precision';
import { UnifiedChoices } from '../UnifiedChoices';
import { useDebounced } from '../useDebounced';

/** Quantisation and parallelism in one language for every engine; the server says which flags they are. */
export function Precision() {
  const { engine, validText } = useAround();
  const form = useForm();
  const [unified, setUnified] = useState<Unified>(NOTHING);
  const model = String(form.at(['model', 'id']) ?? form.at(['model', 'path']) ?? '');
  const wanted = useDebounced(JSON.stringify(unified), 300);
  const flags = useQuery({
    queryKey: keys.document('unified', wanted, `${engine} ${model}`),
    queryFn: ({ signal }) => translate(JSON.parse(wanted) as Unified, engine, model, signal),
    enabled: !isNothing(JSON.parse(wanted) as Unified) && TRANSLATED.includes(engine),
  });
  const nothing = isNothing(unified);
  return (
    <>
      <Panel title={words.precision.title} note={words.precision.note}>
        {TRANSLATED.includes(engine) ? (
          <UnifiedChoices value={unified} onChange={setUnified} />
        ) : (
          <Empty title={words.precision.notHere(engine)} text={words.precision.notHereHint} />
        )}
      </Panel>
      {!nothing && TRANSLATED.includes(engine) && (
        <Panel title={words.precision.flags(engine)}>
          <Loaded of={flags}>{(found) => <Translated flags={found} onDone={() => setUnified(NOTHING)} />}</Loaded>
        </Panel>
      )}
      <Panel title={words.precision.commands} note={words.precision.commandsNote}>
        <PreviewList text={validText} limit={10} />
      </Panel>
    </>
  );
}

function Translated({ flags, onDone }: { flags: Flags; onDone: () => void }) {
  const form = useForm();
  const parameters = Object.entries(flags.parameters);
  const fixed = Object.entries(flags.fixed);
  const replaced = [...parameters, ...fixed].filter(([name]) => hasFlag(form, name)).map(([name]) => name);
  const wrong = flags.findings.some(({ severity }) => severity === 'error');
  const nothing = parameters.length === 0 && fixed.length === 0;
  const apply = () => {
    form.change((text, guide) => {
      const old = form.at(['search_space', 'constraints']);
      const constraints = Array.isArray(old) ? old : [];
      let next = text;
      for (const [name, spec] of parameters) {
        next = removeIn(next, ['engine', 'fixed', name], guide);
        next = setIn(next, ['search_space', 'parameters', name], spec, guide);
      }
      for (const [name, value] of fixed) {
        next = removeIn(next, ['search_space', 'parameters', name], guide);
        next = setIn(next, ['engine', 'fixed', name], value, guide);
      }
      flags.constraints
        .filter((one) => !constraints.includes(one))
        .forEach((one, n) => {
          next = insertAt(next, ['search_space', 'constraints'], constraints.length + n, one, guide);
        });
      return next;
    });
    onDone();
  };
  return (
    <div className="space-y-3">
      <ul className="space-y-1 font-mono text-xs">
        {parameters.map(([name, spec]) => (
          <li key={name} className="[overflow-wrap:anywhere]">
            {name}: {specText(spec)}
          </li>
        ))}
        {fixed.map(([name, value]) => (
          <li key={name} className="[overflow-wrap:anywhere]">
            {name}: {inline(value)} <span className="font-sans text-faint">{words.precision.fixed}</span>
          </li>
        ))}
        {flags.constraints.map((one) => (
          <li key={one} className="text-muted [overflow-wrap:anywhere]">
            {one}
          </li>
        ))}
      </ul>
      {nothing && !wrong && <p className="text-muted">{words.precision.noFlags}</p>}
      <ul className="space-y-1 text-xs">
        {flags.findings.map((finding) => (
          <li
            key={`${finding.field} ${finding.message}`}
            className={finding.severity === 'error' ? 'text-bad' : 'text-warn'}
          >
            <Help text={finding.message} />
          </li>
        ))}
      </ul>
      {replaced.length > 0 && <p className="text-xs text-warn">{words.precision.replaces(replaced.join(', '))}</p>}
      <Button tone="primary" disabled={wrong || nothing} onClick={apply}>
        {words.precision.apply}
      </Button>
    </div>
  );
}

function hasFlag(form: ReturnType<typeof useForm>, name: string): boolean {
  return [
    ['search_space', 'parameters'],
    ['engine', 'fixed'],
  ].some((place) => {
    const map = form.at(place);
    return isRecord(map) && Object.hasOwn(map, name);
  });
}
