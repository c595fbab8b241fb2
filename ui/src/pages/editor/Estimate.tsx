import { useEstimate } from '@/api/documents';
import type { Schemas } from '@/api/types';
import { KeyValues } from '@/components/KeyValues';
import { Loaded } from '@/components/States';
import { count, duration, NONE, si } from '@/format';
import { editor as words } from '@/text/editor';
import { useAround } from './knowledge';

type Span = Schemas['SpanBody'];

/** `12 min … 3 h`, `up to 3 h`, or what it took before with these bounds. */
export function spanText(span: Span | null | undefined, of: (n: number) => string): string {
  if (!span) return NONE;
  const range = span.least ? `${of(span.least)} … ${of(span.most)}` : words.estimate.upTo(of(span.most));
  const { typical } = span;
  return typical === null || typical === undefined ? range : words.estimate.typically(of(typical), range);
}

export const gpuSeconds = (n: number) => si(n, 'GPU-s');

/** How many combinations, or how it is said that they cannot be counted. */
export function combinations(n: number | null | undefined): string {
  if (n === null || n === undefined) return words.estimate.continuous;
  return n > 1e9 ? `≈ ${si(n, '', 2)}` : count(n);
}

export function EstimateTable() {
  const { validText } = useAround();
  const estimate = useEstimate(validText);
  if (validText === null) return <p className="text-muted">{words.estimate.whenValid}</p>;
  return (
    <Loaded of={estimate}>
      {(cost) => (
        <>
          <KeyValues
            pairs={[
              { label: words.estimate.combinations, value: combinations(cost.configurations) },
              { label: words.estimate.search, value: count(cost.search_experiments) },
              { label: words.estimate.verification, value: count(cost.verification_experiments) },
              { label: words.estimate.levels, value: count(cost.levels_per_experiment) },
              { label: words.estimate.gpus, value: cost.gpus === null ? words.estimate.unknown : count(cost.gpus) },
              { label: words.estimate.experiment, value: spanText(cost.experiment_s, duration) },
              { label: words.estimate.wall, value: spanText(cost.wall_time_s, duration) },
              {
                label: words.estimate.gpuTime,
                value: cost.gpu_seconds ? spanText(cost.gpu_seconds, gpuSeconds) : words.estimate.unknown,
              },
            ]}
          />
          <p className="mt-2 text-xs text-faint">{cost.basis}</p>
        </>
      )}
    </Loaded>
  );
}
