import { ArrowUp, Plus, Trash2 } from 'lucide-react';
import { Button, IconButton } from '@/components/Button';
import { Select } from '@/components/Select';
import { ChoiceAt, SwitchAt, TextAt } from '@/document/fields/ScalarFields';
import { FindingText, Help } from '@/document/fields/words';
import { useForm } from '@/document/form';
import { isRecord, type Path } from '@/document/path';
import { choicesOf, schemaAt } from '@/document/schema';
import { metrics } from '@/text/common';
import { editor as words } from '@/text/editor';
import { StatAt } from './StatAt';

const PATH = ['objectives'];
const OWN = 'own';

/** The first decides; several give a Pareto front. */
export function ObjectiveList() {
  const form = useForm();
  const value = form.at(PATH);
  const list = Array.isArray(value) ? value : [];
  return (
    <div className="space-y-2">
      {list.length === 0 && <p className="text-muted">{words.goals.defaultObjective}</p>}
      <ol className="space-y-2">
        {list.map((objective, index) => (
          <ObjectiveRow key={index} objective={objective} path={[...PATH, index]} index={index} />
        ))}
      </ol>
      <Button
        size="sm"
        icon={<Plus aria-hidden className="size-3.5" />}
        onClick={() => form.insert(PATH, list.length, list.length === 0 ? 'maximize_throughput' : 'minimize_ttft')}
      >
        {list.length === 0 ? words.goals.chooseObjective : words.goals.addObjective}
      </Button>
    </div>
  );
}

function ObjectiveRow({ objective, path, index }: { objective: unknown; path: Path; index: number }) {
  const form = useForm();
  const isOwn = isRecord(objective);
  const named = choicesOf({ $ref: '#/$defs/ObjectiveName' }, form.schema);
  const chosen = named.find(({ value }) => value === objective);
  const finding = form.error(path);
  const options = [
    ...named.map(({ value }) => ({ value: String(value), label: words.goals.names[String(value)] ?? String(value) })),
    { value: OWN, label: words.goals.own },
  ];
  return (
    <li className="flex items-start gap-2 rounded-md border border-line p-2">
      <div className="min-w-0 flex-1 space-y-2">
        <Select
          label={words.goals.objective(index + 1)}
          hideLabel
          value={isOwn ? OWN : String(objective)}
          options={options}
          hint={chosen?.description && <Help text={chosen.description} />}
          error={finding && <FindingText finding={finding} />}
          onChange={(next) => form.set(path, next === OWN ? { metric: 'ttft', stat: 'p99' } : next)}
        />
        {isOwn && <OwnObjective path={path} />}
      </div>
      <IconButton
        size="sm"
        label={words.goals.first(index + 1)}
        disabled={index === 0}
        icon={<ArrowUp aria-hidden className="size-4" />}
        onClick={() => form.move(path, -1)}
      />
      <IconButton
        size="sm"
        label={words.goals.removeObjective(index + 1)}
        icon={<Trash2 aria-hidden className="size-4" />}
        onClick={() => form.remove(path)}
      />
    </li>
  );
}

function OwnObjective({ path }: { path: Path }) {
  const form = useForm();
  const across = form.at([...path, 'across']);
  const level = isRecord(across) ? String(across.level ?? 0) : '';
  const best = choicesOf(schemaAt(form.schema, [...path, 'across']) ?? {}, form.schema);
  return (
    <div className="grid gap-2 sm:grid-cols-2">
      <ChoiceAt path={[...path, 'metric']} required names={metrics} />
      <StatAt path={[...path, 'stat']} />
      <ChoiceAt path={[...path, 'goal']} />
      <Select
        label={words.goals.across}
        value={isRecord(across) ? 'level' : typeof across === 'string' ? across : ''}
        options={[
          { value: '', label: words.goals.acrossDefault },
          ...best.map(({ value }) => ({
            value: String(value),
            label: words.goals.acrossNames[String(value)] ?? String(value),
          })),
          { value: 'level', label: words.goals.acrossLevel },
        ]}
        onChange={(next) =>
          form.set([...path, 'across'], next === '' ? undefined : next === 'level' ? { level: 0 } : next)
        }
      />
      {level !== '' && <TextAt path={[...path, 'across', 'level']} onText={(text) => setLevel(form, path, text)} />}
      <SwitchAt path={[...path, 'per_gpu']} />
    </div>
  );
}

function setLevel(form: ReturnType<typeof useForm>, path: Path, text: string) {
  if (/^\d{1,3}$/.test(text)) form.set([...path, 'across', 'level'], Number(text));
}
