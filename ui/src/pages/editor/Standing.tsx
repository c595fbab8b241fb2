import { Check, CircleAlert, LoaderCircle } from 'lucide-react';
import { useEstimate, type Validation } from '@/api/documents';
import type { Schemas } from '@/api/types';
import { Button } from '@/components/Button';
import { count, duration } from '@/format';
import { common } from '@/text/common';
import { editor as words } from '@/text/editor';
import { combinations, gpuSeconds, spanText } from './Estimate';
import { useAround } from './knowledge';

interface StandingProps {
  /** What the server said last. */
  answer: Validation | undefined;
  /** It was asked anew since. */
  isChecking: boolean;
  /** Why it could not look at the document, and how it is asked again. */
  unchecked: { error: Error; retry: () => void } | null;
  isUnchanged: boolean;
}

/** In one line: valid or not, how much it is, how long it takes. */
export function Standing({ answer, isChecking, unchecked, isUnchanged }: StandingProps) {
  const { validText } = useAround();
  const estimate = useEstimate(validText);
  const cost = validText === null ? undefined : estimate.data;
  return (
    <div
      role="status"
      className="mb-3 flex min-h-8 flex-wrap items-center gap-x-5 gap-y-1 rounded-md border border-line bg-surface px-3 py-1.5"
    >
      {unchecked ? (
        <span className="flex flex-wrap items-center gap-1.5 text-warn">
          <CircleAlert aria-hidden className="size-4" />
          {words.unchecked(unchecked.error.message)}
          <Button size="sm" onClick={unchecked.retry}>
            {common.retry}
          </Button>
        </span>
      ) : (
        <Verdict answer={isChecking ? undefined : answer} />
      )}
      {cost && (
        <>
          <Fact name={words.estimate.combinations} value={combinations(cost.configurations)} />
          <Fact
            name={words.estimate.experiments}
            value={words.estimate.sum(count(cost.search_experiments), count(cost.verification_experiments))}
          />
          {isTelling(cost.wall_time_s) && (
            <Fact name={words.estimate.wall} value={spanText(cost.wall_time_s, duration)} />
          )}
          {cost.gpu_seconds && <Fact name={words.estimate.gpuTime} value={spanText(cost.gpu_seconds, gpuSeconds)} />}
        </>
      )}
      {isUnchanged && <span className="text-faint">{words.unchanged}</span>}
    </div>
  );
}

function Verdict({ answer }: { answer: Validation | undefined }) {
  const errors = answer?.findings.filter(({ severity }) => severity === 'error').length ?? 0;
  if (!answer) {
    return (
      <span className="flex items-center gap-1.5 text-muted">
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
        {words.checking}
      </span>
    );
  }
  if (!answer.valid) {
    return (
      <span className="flex items-center gap-1.5 text-bad">
        <CircleAlert aria-hidden className="size-4" />
        {errors > 0 ? words.errors(errors) : words.invalid}
      </span>
    );
  }
  return (
    <span className="flex items-center gap-1.5 text-ok">
      <Check aria-hidden className="size-4" />
      {words.valid}
    </span>
  );
}

/** Time-outs alone say nothing of how long it takes. */
function isTelling({ least, typical }: Schemas['SpanBody']): boolean {
  return (least ?? 0) > 0 || (typical ?? null) !== null;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <span>
      <span className="text-faint">{name}</span> {value}
    </span>
  );
}
