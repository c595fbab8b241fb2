import { ArrowLeft, ArrowRight } from 'lucide-react';
import type { Validation } from '@/api/documents';
import { Button } from '@/components/Button';
import { editor as words } from '@/text/editor';
import { Basics } from './sections/Basics';
import { Budget } from './sections/Budget';
import { Goals } from './sections/Goals';
import { Load } from './sections/Load';
import { Precision } from './sections/Precision';
import { Presets } from './sections/Presets';
import { Review } from './sections/Review';
import { SearchSpace } from './sections/SearchSpace';
import { Workload } from './sections/Workload';
import { STEP_IDS, type StepId } from './steps';

interface FormPaneProps {
  step: StepId;
  onStep: (step: StepId) => void;
  /** The text cannot be shown as a form. */
  disabled: boolean;
  validation: Validation | undefined;
  onGo: (line: number, column: number, field?: string) => void;
}

/** One part of the document as a form. */
export function FormPane({ step, onStep, disabled, validation, onGo }: FormPaneProps) {
  const at = STEP_IDS.indexOf(step);
  const [before, after] = [STEP_IDS[at - 1], STEP_IDS[at + 1]];
  const go = (next: StepId) => {
    onStep(next);
    window.scrollTo({ top: 0 });
  };
  return (
    <form aria-label={words.form} onSubmit={(event) => event.preventDefault()}>
      <fieldset disabled={disabled} className="min-w-0 space-y-3 disabled:opacity-60">
        <Section step={step} validation={validation} onGo={onGo} />
      </fieldset>
      <div className="mt-3 flex justify-between gap-2">
        {before ? (
          <Button icon={<ArrowLeft aria-hidden className="size-4" />} onClick={() => go(before)}>
            {words.stepNames[before]}
          </Button>
        ) : (
          <span />
        )}
        {after && (
          <Button onClick={() => go(after)}>
            {words.stepNames[after]}
            <ArrowRight aria-hidden className="size-4" />
          </Button>
        )}
      </div>
    </form>
  );
}

function Section({ step, validation, onGo }: Pick<FormPaneProps, 'step' | 'validation' | 'onGo'>) {
  switch (step) {
    case 'basics':
      return <Basics />;
    case 'space':
      return <SearchSpace />;
    case 'presets':
      return <Presets />;
    case 'precision':
      return <Precision />;
    case 'workload':
      return <Workload />;
    case 'load':
      return <Load />;
    case 'goals':
      return <Goals />;
    case 'budget':
      return <Budget />;
    case 'review':
      return <Review validation={validation} onGo={onGo} />;
  }
}
