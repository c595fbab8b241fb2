import { CircleAlert } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { cx } from '@/components/cx';
import { editor as words } from '@/text/editor';
import { STEP_IDS, type StepId, type StepState } from './steps';

interface StepNavProps {
  step: StepId;
  states: Record<StepId, StepState>;
  onStep: (step: StepId) => void;
  hidden?: boolean;
}

/** The parts of a task; what is wrong in each is counted. */
export function StepNav({ step, states, onStep, hidden }: StepNavProps) {
  const here = useRef<HTMLButtonElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another step comes into sight
  useEffect(() => here.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [step]);
  if (hidden) return null;
  return (
    <nav aria-label={words.steps} className="sticky top-12 z-20 -mx-1 mb-3 overflow-x-auto bg-page px-1 py-1">
      <ol className="flex min-w-max gap-1">
        {STEP_IDS.map((id, index) => {
          const { errors } = states[id];
          const isHere = id === step;
          return (
            <li key={id}>
              <button
                ref={isHere ? here : undefined}
                type="button"
                aria-current={isHere ? 'step' : undefined}
                onClick={() => onStep(id)}
                className={cx(
                  'flex h-8 items-center gap-1.5 rounded-md border px-2.5',
                  isHere
                    ? 'border-accent bg-accent-soft font-medium text-accent'
                    : 'border-transparent text-muted hover:bg-hover hover:text-ink',
                )}
              >
                <span aria-hidden className="text-xs text-faint">
                  {index + 1}
                </span>
                {words.stepNames[id]}
                {errors > 0 && (
                  <span className="flex items-center gap-0.5 text-xs text-bad">
                    <CircleAlert aria-hidden className="size-3.5" />
                    {errors}
                    <span className="sr-only">{words.errorsHere(errors)}</span>
                  </span>
                )}
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
