import { cx } from '@/components/cx';
import { Disclosure } from '@/components/Disclosure';
import { editor as words } from '@/text/editor';
import { PARALLEL, type ParallelField, PRECISION, type PrecisionField, type Unified } from './precision';

const SIZES = [1, 2, 4, 8, 16];
const USUAL: ParallelField[] = ['tp', 'pp', 'dp'];

/** Several of each may be chosen: they are tried against each other. */
export function UnifiedChoices({ value, onChange }: { value: Unified; onChange: (next: Unified) => void }) {
  const precision = (field: PrecisionField) => (
    <Choices
      key={field}
      label={words.precision.fields[field]}
      help={words.precision.help[field]}
      options={[...PRECISION[field]]}
      chosen={value.quant[field] ?? []}
      onChange={(list) => onChange({ ...value, quant: { ...value.quant, [field]: list } })}
    />
  );
  const parallel = (field: ParallelField) => (
    <Choices
      key={field}
      label={words.precision.fields[field]}
      help={words.precision.help[field]}
      options={SIZES}
      chosen={value.parallel[field] ?? []}
      onChange={(list) => onChange({ ...value, parallel: { ...value.parallel, [field]: list } })}
    />
  );
  return (
    <div className="space-y-3">
      <p className="text-muted">{words.precision.how}</p>
      {(['gemm_dtype', 'kvcache_dtype'] as const).map(precision)}
      {USUAL.map(parallel)}
      <Choices
        label={words.precision.fields.expert}
        help={words.precision.help.expert}
        options={['off', 'on'] as const}
        chosen={value.expert}
        onChange={(expert) => onChange({ ...value, expert })}
      />
      <Disclosure title={words.precision.more}>
        <div className="space-y-3">
          {(['attention_dtype', 'moe_dtype'] as const).map(precision)}
          {PARALLEL.filter((field) => !USUAL.includes(field)).map(parallel)}
        </div>
      </Disclosure>
    </div>
  );
}

function Choices<T extends string | number>({
  label,
  help,
  options,
  chosen,
  onChange,
}: {
  label: string;
  help: string;
  options: readonly T[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}) {
  return (
    <fieldset className="grid min-w-0 gap-x-3 gap-y-1 sm:grid-cols-[11rem_minmax(0,1fr)]">
      <legend className="sr-only">{label}</legend>
      <div aria-hidden>
        <div className="font-medium">{label}</div>
        <div className="text-xs text-faint">{help}</div>
      </div>
      <div className="flex flex-wrap content-start gap-1">
        {options.map((option) => {
          const isOn = chosen.includes(option);
          return (
            <button
              key={option}
              type="button"
              aria-pressed={isOn}
              onClick={() => onChange(options.filter((one) => (one === option ? !isOn : chosen.includes(one))))}
              className={cx(
                'h-7 rounded-md border px-2 font-mono text-xs',
                isOn
                  ? 'border-accent bg-accent-soft text-accent'
                  : 'border-edge/60 bg-surface text-muted hover:bg-hover',
              )}
            >
              {isOn && <span aria-hidden>✓ </span>}
              {String(option)}
            </button>
          );
        })}
      </div>
    </fieldset>
  );
}
