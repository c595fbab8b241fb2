import { Plus, Trash2 } from 'lucide-react';
import type { Metric } from '@/api/types';
import { Button, IconButton } from '@/components/Button';
import { Disclosure } from '@/components/Disclosure';
import { Select } from '@/components/Select';
import { ChoiceAt, NumberAt, SwitchAt } from '@/document/fields/ScalarFields';
import { FindingText } from '@/document/fields/words';
import { useForm } from '@/document/form';
import { isRecord, type Path, without } from '@/document/path';
import { smallerIsBetter, unitOf } from '@/format';
import { metrics } from '@/text/common';
import { editor as words } from '@/text/editor';
import { StatAt } from './StatAt';

type Bound = 'max_ms' | 'max' | 'min';
const BOUNDS: Bound[] = ['max_ms', 'max', 'min'];

/** The bound that a metric usually has: times at most, rates at least. */
function usualBound(metric: string): Bound {
  if (unitOf(metric as Metric) === 'ms') return 'max_ms';
  return smallerIsBetter(metric as Metric) ? 'max' : 'min';
}

/** What must hold at every level that counts. */
export function SloList({ path }: { path: Path }) {
  const form = useForm();
  const value = form.at(path);
  const list = Array.isArray(value) ? value : [];
  return (
    <div className="space-y-2">
      {list.length === 0 && <p className="text-muted">{words.goals.noSlos}</p>}
      <ul className="space-y-2">
        {list.map((slo, index) => (
          <SloRow key={index} slo={slo} path={[...path, index]} index={index} />
        ))}
      </ul>
      <Button
        size="sm"
        icon={<Plus aria-hidden className="size-3.5" />}
        onClick={() => form.insert(path, list.length, { metric: 'ttft', stat: 'p99', max_ms: 1000 })}
      >
        {words.goals.addSlo}
      </Button>
    </div>
  );
}

function SloRow({ slo, path, index }: { slo: unknown; path: Path; index: number }) {
  const form = useForm();
  const metric = isRecord(slo) ? String(slo.metric ?? '') : '';
  const isTime = unitOf(metric as Metric) === 'ms';
  const bound = BOUNDS.find((key) => isRecord(slo) && slo[key] !== undefined) ?? usualBound(metric);
  const finding = form.error(path);
  const more = ['weight', 'fail_ratio', 'steepness'].filter((key) => form.at([...path, key]) !== undefined);
  const setMetric = (next: string | undefined) => {
    if (!next || !isRecord(slo)) return form.set([...path, 'metric'], next);
    const wanted = usualBound(next);
    // A limit of milliseconds is none of a rate: only where the kind of the bound stays does its number.
    if (unitOf(next as Metric) === unitOf(metric as Metric)) return form.set([...path, 'metric'], next);
    const rest = BOUNDS.reduce<unknown>((left, key) => without(left, [key]), slo) as Record<string, unknown>;
    form.set(path, { ...rest, metric: next, [wanted]: wanted === 'max_ms' ? 1000 : wanted === 'min' ? 0.95 : 0.01 });
  };
  const setBound = (next: Bound) => {
    if (!isRecord(slo)) return;
    const { [bound]: old, ...rest } = slo;
    form.set(path, { ...rest, [next]: old ?? 1 });
  };
  return (
    <li className="rounded-md border border-line p-2">
      <div className="flex items-start gap-2">
        <div className="grid min-w-0 flex-1 gap-2 sm:grid-cols-[2fr_1fr_1fr_1fr]">
          <ChoiceAt
            path={[...path, 'metric']}
            label={words.goals.metric}
            required
            names={metrics}
            hint={null}
            onChoose={setMetric}
          />
          <StatAt path={[...path, 'stat']} label={words.goals.stat} />
          {isTime ? (
            <div>
              <div className="mb-1 font-medium">{words.goals.bound}</div>
              <div className="flex h-8 items-center text-muted">{words.goals.bounds.max_ms}</div>
            </div>
          ) : (
            <Select
              label={words.goals.bound}
              value={bound}
              options={[
                { value: 'max', label: words.goals.bounds.max },
                { value: 'min', label: words.goals.bounds.min },
              ]}
              onChange={setBound}
            />
          )}
          <NumberAt path={[...path, bound]} label={words.goals.limit} hint={null} />
        </div>
        <IconButton
          size="sm"
          label={words.goals.removeSlo(index + 1)}
          icon={<Trash2 aria-hidden className="size-4" />}
          onClick={() => form.remove(path)}
        />
      </div>
      {finding && (
        <p className="mt-1 text-xs text-bad">
          <FindingText finding={finding} />
        </p>
      )}
      <div className="mt-2">
        <SwitchAt path={[...path, 'hard_fail']} />
      </div>
      <Disclosure className="mt-1" title={words.goals.penalty} open={more.length > 0}>
        <div className="grid gap-2 sm:grid-cols-3">
          <NumberAt path={[...path, 'weight']} />
          <NumberAt path={[...path, 'fail_ratio']} />
          <NumberAt path={[...path, 'steepness']} />
        </div>
      </Disclosure>
    </li>
  );
}
