import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '@/components/Button';
import { cx } from '@/components/cx';
import { INPUT } from '@/components/Field';
import { Select } from '@/components/Select';
import { AutoAt } from '@/document/fields/AutoFields';
import { FindingText, Help } from '@/document/fields/words';
import { useForm } from '@/document/form';
import { isRecord } from '@/document/path';
import { editor as words } from '@/text/editor';
import { LEVEL_FIELDS, LEVEL_KINDS, type LevelKind, levelAs, levelKind, sweepOf } from './levels';

const PATH = ['load', 'levels'];

/** Levels in the order in which they are measured. */
export function LevelList() {
  const form = useForm();
  const value = form.at(PATH);
  const levels = Array.isArray(value) ? value : [];
  const fallback = form.schemaAt(['load'])?.default;
  const defaults = isRecord(fallback) && Array.isArray(fallback.levels) ? fallback.levels : [];
  return (
    <div className="space-y-3">
      {levels.length === 0 && (
        <p className="text-muted">
          {words.load.noLevels} <Help text={defaults.map((level) => `\`${JSON.stringify(level)}\``).join(' ')} />
        </p>
      )}
      <ol className="space-y-2">
        {levels.map((level, index) => (
          <LevelRow key={index} level={level} index={index} of={levels.length} />
        ))}
      </ol>
      <AddLevels count={levels.length} />
    </div>
  );
}

function LevelRow({ level, index, of }: { level: unknown; index: number; of: number }) {
  const form = useForm();
  const path = [...PATH, index];
  const kind = levelKind(level);
  const fields = LEVEL_FIELDS[kind];
  const known = new Set([...fields, 'arrival']);
  const others = isRecord(level) ? Object.keys(level).filter((key) => !known.has(key)) : [];
  const finding = form.error(path);
  return (
    <li className="rounded-md border border-line p-2">
      <div className="flex items-start gap-2">
        <span className="mt-1.5 w-5 shrink-0 text-right text-xs text-faint">{index + 1}</span>
        <div className="grid min-w-0 flex-1 gap-2 sm:grid-cols-2 xl:grid-cols-3">
          <Select
            label={words.load.kindOf(index + 1)}
            hideLabel
            value={kind}
            options={LEVEL_KINDS.map((one) => ({ value: one, label: words.load.kinds[one] }))}
            onChange={(next: LevelKind) => form.set(path, levelAs(level, next))}
            hint={words.load.kindHelp[kind]}
          />
          {[...fields, ...others].map((key) => (
            <AutoAt key={key} path={[...path, key]} hint={null} placeholder={words.load.placeholders[key]} />
          ))}
        </div>
        <div className="flex shrink-0 flex-col gap-0.5 sm:flex-row">
          <IconButton
            size="sm"
            label={words.load.up(index + 1)}
            disabled={index === 0}
            icon={<ArrowUp aria-hidden className="size-4" />}
            onClick={() => form.move(path, -1)}
          />
          <IconButton
            size="sm"
            label={words.load.down(index + 1)}
            disabled={index === of - 1}
            icon={<ArrowDown aria-hidden className="size-4" />}
            onClick={() => form.move(path, 1)}
          />
          <IconButton
            size="sm"
            label={words.load.remove(index + 1)}
            icon={<Trash2 aria-hidden className="size-4" />}
            onClick={() => form.remove(path)}
          />
        </div>
      </div>
      {finding && (
        <p className="mt-1 pl-7 text-xs text-bad">
          <FindingText finding={finding} />
        </p>
      )}
    </li>
  );
}

function AddLevels({ count }: { count: number }) {
  const form = useForm();
  const [kind, setKind] = useState<'closed' | 'poisson'>('closed');
  const [typed, setTyped] = useState('');
  const sweep = sweepOf(typed);
  const whole = kind === 'poisson' || sweep.every(Number.isInteger);
  const add = () => {
    if (typed.trim() === '') return form.insert(PATH, count, levelAs(undefined, kind));
    if (sweep.length === 0 || !whole) return;
    const made = sweep.map((n) => (kind === 'closed' ? { concurrency: n } : { rate: n }));
    const old = form.at(PATH);
    form.set(PATH, [...(Array.isArray(old) ? old : []), ...made]);
    setTyped('');
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Select
        className="w-44"
        label={words.load.addKind}
        hideLabel
        value={kind}
        options={[
          { value: 'closed', label: words.load.kinds.closed },
          { value: 'poisson', label: words.load.kinds.poisson },
        ]}
        onChange={setKind}
      />
      <input
        aria-label={words.load.sweep}
        className={cx(INPUT, 'max-w-44')}
        placeholder={words.load.sweepHint}
        value={typed}
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && add()}
      />
      <Button
        icon={<Plus aria-hidden className="size-3.5" />}
        disabled={typed.trim() !== '' && (sweep.length === 0 || !whole)}
        onClick={add}
      >
        {sweep.length > 1 ? words.load.addLevels(sweep.length) : words.load.addLevel}
      </Button>
    </div>
  );
}
