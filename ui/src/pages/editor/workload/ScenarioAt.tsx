import { Plus, Trash2 } from 'lucide-react';
import { Button, IconButton } from '@/components/Button';
import { INPUT } from '@/components/Field';
import { Select } from '@/components/Select';
import { TextAt } from '@/document/fields/ScalarFields';
import { useForm } from '@/document/form';
import type { Path } from '@/document/path';
import { editor as words } from '@/text/editor';
import { FIRST, type Part, readScenario, type Scenario, type ScenarioKind, writeScenario } from './scenario';

const KINDS = Object.keys(FIRST) as ScenarioKind[];
export const DEFAULT_SCENARIO = 'D(256,64)';

/** A scenario as text and as parts; both are the same. */
export function ScenarioAt({ path }: { path: Path }) {
  const form = useForm();
  const value = form.at(path);
  const text = typeof value === 'string' ? value : DEFAULT_SCENARIO;
  const scenario = readScenario(text);
  const set = (next: Scenario) => form.set(path, writeScenario(next));
  return (
    <div className="space-y-3">
      {scenario ? (
        <Parts scenario={scenario} onChange={set} />
      ) : (
        <p className="text-warn">{words.workload.notReadable}</p>
      )}
      <TextAt
        path={path}
        label={words.workload.asText}
        mono
        placeholder={words.workload.scenarioDefault(DEFAULT_SCENARIO)}
        hint={words.workload.forms}
      />
    </div>
  );
}

function Parts({ scenario, onChange }: { scenario: Scenario; onChange: (next: Scenario) => void }) {
  const { parts } = scenario;
  const total = parts.reduce((sum, part) => sum + part.weight, 0);
  const setPart = (index: number, part: Part) => onChange({ ...scenario, parts: parts.with(index, part) });
  return (
    <div className="space-y-2">
      {parts.map((part, index) => (
        <div key={index} className="rounded-md border border-line p-2">
          <div className="flex items-end gap-2">
            <div className="grid min-w-0 flex-1 grid-cols-2 gap-2 sm:grid-cols-4">
              <Select
                className="col-span-2"
                label={words.workload.lengths}
                value={part.kind}
                options={KINDS.map((kind) => ({ value: kind, label: words.workload.kinds[kind] }))}
                onChange={(kind: ScenarioKind) => setPart(index, { ...part, kind, numbers: carried(part, kind) })}
              />
              {parts.length > 1 && (
                <NumberBox
                  label={words.workload.weight(total > 0 ? part.weight / total : 0)}
                  value={part.weight}
                  onChange={(weight) => weight > 0 && setPart(index, { ...part, weight })}
                />
              )}
            </div>
            <IconButton
              size="sm"
              label={words.workload.removePart(index + 1)}
              disabled={parts.length === 1}
              icon={<Trash2 aria-hidden className="size-4" />}
              onClick={() => onChange({ ...scenario, parts: parts.toSpliced(index, 1) })}
            />
          </div>
          <div className="mt-2 grid grid-cols-2 gap-2 sm:grid-cols-4">
            {part.numbers.map((number, at) => (
              <NumberBox
                key={at}
                label={words.workload.numbers[part.kind]?.[at] ?? ''}
                value={number}
                fractions={part.kind === 'L'}
                onChange={(next) => setPart(index, { ...part, numbers: part.numbers.with(at, next) })}
              />
            ))}
          </div>
        </div>
      ))}
      <Button
        size="sm"
        icon={<Plus aria-hidden className="size-3.5" />}
        onClick={() => onChange({ ...scenario, parts: [...parts, { weight: 1, kind: 'D', numbers: free(parts) }] })}
      >
        {words.workload.addPart}
      </Button>
    </div>
  );
}

/** The mean lengths stay where the form changes. */
function carried(part: Part, kind: ScenarioKind): number[] {
  const [a = 1, b = 1, c = 1, d = 1] = part.numbers;
  const log = (n: number) => Number(Math.log(Math.max(1, n)).toFixed(2));
  const means: [number, number] | null =
    part.kind === 'D'
      ? [a, b]
      : part.kind === 'N'
        ? [a, c]
        : part.kind === 'U'
          ? [mid(a, b), mid(c, d)]
          : part.kind === 'L'
            ? [Math.round(Math.exp(a)), Math.round(Math.exp(c))]
            : null;
  if (!means) return FIRST[kind];
  const [input, output] = means;
  if (kind === 'D') return [input, output];
  if (kind === 'N') return [input, Math.round(input / 3), output, Math.round(output / 3)];
  if (kind === 'U')
    return [
      Math.ceil(input / 2),
      input + Math.floor(input / 2),
      Math.ceil(output / 2),
      output + Math.floor(output / 2),
    ];
  return kind === 'L' ? [log(input), 0.5, log(output), 0.5] : FIRST[kind];
}

const mid = (a: number, b: number) => Math.round((a + b) / 2);

/** A fixed part that the mix does not have yet: two of the same are refused. */
function free(parts: readonly Part[]): number[] {
  let input = 2048;
  while (parts.some(({ kind, numbers }) => kind === 'D' && numbers[0] === input)) input *= 2;
  return [input, 128];
}

function NumberBox({
  label,
  value,
  fractions,
  onChange,
}: {
  label: string;
  value: number;
  fractions?: boolean;
  onChange: (value: number) => void;
}) {
  return (
    <label className="block min-w-0 text-xs text-muted">
      <span className="mb-0.5 block truncate" title={label}>
        {label}
      </span>
      <input
        type="number"
        min={0}
        step={fractions ? 0.1 : 1}
        className={INPUT}
        value={value}
        onChange={(event) => {
          const next = event.target.valueAsNumber;
          if (Number.isFinite(next) && next >= 0) onChange(next);
        }}
      />
    </label>
  );
}
