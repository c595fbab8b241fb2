import { ArrowDown, ArrowUp, ChevronRight, CircleAlert, Trash2 } from 'lucide-react';
import { memo, useDeferredValue, useMemo, useState } from 'react';
import type { EngineParameter } from '@/api/engines';
import { IconButton } from '@/components/Button';
import { cx } from '@/components/cx';
import { INPUT } from '@/components/Field';
import { parameters as words } from '@/text/parameters';
import { Help } from '../fields/words';
import { useForm } from '../form';
import { findParameter, sizeOf, specKind, valuesOf } from '../parameter';
import { isRecord, type Path } from '../path';
import { shownValue } from '../values';
import { AddParameter } from './AddParameter';
import { ParameterEditor } from './ParameterEditor';

/** From so many on there is a field to find one. */
const FIND_FROM = 8;

/** Parameters that vary, one a line; a line opens to be edited. Hundreds stay usable: they are found by typing. */
export function ParameterList({
  path,
  catalogue,
  engine,
}: {
  path: Path;
  catalogue: readonly EngineParameter[] | undefined;
  engine: string;
}) {
  const form = useForm();
  const value = form.at(path);
  const names = isRecord(value) ? Object.keys(value) : [];
  const [typed, setTyped] = useState('');
  const wanted = useDeferredValue(typed.trim().toLowerCase());
  const [open, setOpen] = useState<string | null>(null);
  const shown = wanted === '' ? names : names.filter((name) => name.toLowerCase().includes(wanted));
  const wrong = useMemo(() => wrongNames(form.findings, form.fieldOf(path)), [form, path]);
  return (
    <div className="space-y-3">
      {names.length >= FIND_FROM && (
        <input
          type="search"
          aria-label={words.find}
          placeholder={words.findHint(names.length)}
          className={INPUT}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
      {names.length === 0 ? (
        <p className="rounded-md border border-dashed border-edge/60 p-3 text-muted">{words.none}</p>
      ) : (
        <ul className="divide-y divide-line rounded-md border border-line">
          {shown.map((name) => (
            <Row
              key={name}
              name={name}
              path={path}
              spec={isRecord(value) ? value[name] : undefined}
              known={findParameter(catalogue, name)}
              hasCatalogue={catalogue !== undefined}
              isOpen={open === name}
              isWrong={wrong.has(name)}
              setOpen={setOpen}
            />
          ))}
          {shown.length === 0 && <li className="p-3 text-muted">{words.noMatch(typed)}</li>}
        </ul>
      )}
      <AddParameter path={path} catalogue={catalogue} engine={engine} has={names} onAdd={setOpen} />
    </div>
  );
}

function wrongNames(findings: ReturnType<typeof useForm>['findings'], place: string): Set<string> {
  const names = new Set<string>();
  for (const { severity, field } of findings) {
    if (severity !== 'error' || !field.startsWith(`${place}.`)) continue;
    const rest = field.slice(place.length + 1);
    // A name may hold dots: every beginning of the field may be it.
    for (
      let end = rest.length;
      end > 0;
      end = Math.max(rest.lastIndexOf('.', end - 1), rest.lastIndexOf('[', end - 1))
    ) {
      names.add(rest.slice(0, end));
    }
  }
  return names;
}

interface RowProps {
  name: string;
  path: Path;
  spec: unknown;
  known: EngineParameter | undefined;
  hasCatalogue: boolean;
  isOpen: boolean;
  isWrong: boolean;
  setOpen: (name: string | null) => void;
}

const Row = memo(function Row({ name, path, spec, known, hasCatalogue, isOpen, isWrong, setOpen }: RowProps) {
  const size = sizeOf(spec);
  return (
    <li className={cx(isOpen && 'bg-sunken/40')}>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(isOpen ? null : name)}
        className="flex min-h-8 w-full min-w-0 items-center gap-2 px-2 py-1 text-left hover:bg-hover focus-visible:-outline-offset-2"
      >
        <ChevronRight aria-hidden className={cx('size-4 shrink-0 text-faint', isOpen && 'rotate-90')} />
        <span className="max-w-[45%] shrink-0 truncate font-mono text-xs" title={name}>
          {name}
        </span>
        {isWrong && <CircleAlert aria-label={words.wrong} className="size-3.5 shrink-0 text-bad" />}
        {!known && hasCatalogue && <span className="shrink-0 text-xs text-warn">{words.notKnown}</span>}
        <span className="ml-auto min-w-0 truncate font-mono text-xs text-muted">{summary(spec)}</span>
        <span className="w-16 shrink-0 text-right text-xs text-faint">
          {size === null ? (specKind(spec) === 'range' ? words.continuous : words.noValues) : words.values(size)}
        </span>
      </button>
      {isOpen && <Opened name={name} path={path} known={known} hasCatalogue={hasCatalogue} setOpen={setOpen} />}
    </li>
  );
});

function Opened({ name, path, known, hasCatalogue, setOpen }: Omit<RowProps, 'spec' | 'isOpen' | 'isWrong'>) {
  const form = useForm();
  const own = [...path, name];
  return (
    <div className="space-y-3 border-t border-line px-3 py-3">
      <About known={known} hasCatalogue={hasCatalogue} />
      <ParameterEditor path={own} known={known} />
      <div className="flex justify-end gap-1">
        <IconButton
          size="sm"
          label={words.up(name)}
          icon={<ArrowUp aria-hidden className="size-4" />}
          onClick={() => form.move(own, -1)}
        />
        <IconButton
          size="sm"
          label={words.down(name)}
          icon={<ArrowDown aria-hidden className="size-4" />}
          onClick={() => form.move(own, 1)}
        />
        <IconButton
          size="sm"
          label={words.remove(name)}
          icon={<Trash2 aria-hidden className="size-4" />}
          onClick={() => {
            setOpen(null);
            form.remove(own);
          }}
        />
      </div>
    </div>
  );
}

/** What the catalogue says about a parameter. */
export function About({ known, hasCatalogue }: { known: EngineParameter | undefined; hasCatalogue: boolean }) {
  if (!known) return hasCatalogue ? <p className="text-xs text-muted">{words.unknownHelp}</p> : null;
  const facts = [
    words.types[known.kind],
    known.default !== undefined && words.default(known.default),
    known.kind === 'choice' && words.oneOf(known.values.join(', ')),
    known.aliases?.length && words.aliases(known.aliases.join(', ')),
    known.conflicts?.length && words.conflicts(known.conflicts.join(', ')),
    known.change && words.change[known.change],
    known.since && words.since(known.since),
  ].filter(Boolean);
  return (
    <div className="text-xs">
      <p className="text-muted">
        <Help text={known.help} />
      </p>
      <p className="mt-0.5 text-faint [overflow-wrap:anywhere]">{facts.join(' · ')}</p>
    </div>
  );
}

function summary(spec: unknown): string {
  const kind = specKind(spec);
  const when = isRecord(spec) && spec.when ? ` ${words.when(String(spec.when))}` : '';
  if (kind === 'switch') return `true, false${when}`;
  if (kind === 'range' && isRecord(spec)) {
    const step = spec.step === undefined ? '' : ` ${words.step(String(spec.step))}`;
    return `${spec.low ?? '?'} … ${spec.high ?? '?'}${step}${spec.log ? ` ${words.log}` : ''}${when}`;
  }
  return `${valuesOf(spec)
    .map((value) => shownValue(value))
    .join(', ')}${when}`;
}
