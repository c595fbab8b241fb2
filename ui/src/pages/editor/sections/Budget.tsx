import { Panel } from '@/components/Card';
import { Disclosure } from '@/components/Disclosure';
import { AutoFieldsAt } from '@/document/fields/AutoFields';
import { ChoiceAt, NumberAt, SwitchAt } from '@/document/fields/ScalarFields';
import { useForm } from '@/document/form';
import { editor as words } from '@/text/editor';
import { EstimateTable } from '../Estimate';

/** How candidates are proposed, when the search ends, and how its answer is verified. */
export function Budget() {
  const form = useForm();
  const sampler = form.at(['sampler', 'kind']) ?? 'bayesian';
  const isWrong = (key: string) => form.under([key]).some(({ severity }) => severity === 'error');
  return (
    <>
      <Panel title={words.budget.search}>
        <div className="grid gap-3 sm:grid-cols-2">
          <NumberAt path={['budget', 'experiments']} />
          <ChoiceAt
            path={['sampler', 'kind']}
            names={words.samplers}
            onChoose={(kind) => form.set(['sampler'], kind === undefined ? undefined : { kind })}
          />
          {sampler === 'bayesian' && form.at(['sampler']) !== undefined && (
            <>
              <NumberAt path={['sampler', 'initial']} />
              <NumberAt path={['sampler', 'candidates']} />
            </>
          )}
          <NumberAt path={['budget', 'wall_time_s']} />
          <NumberAt path={['budget', 'gpu_seconds']} />
          <NumberAt path={['budget', 'parallel']} />
          <NumberAt path={['seed']} />
          <SwitchAt path={['budget', 'share_host']} className="sm:col-span-2" />
        </div>
      </Panel>
      <Panel title={words.budget.estimate}>
        <EstimateTable />
      </Panel>
      <Panel title={words.budget.verification}>
        <AutoFieldsAt path={['verification']} />
      </Panel>
      <Panel title={words.budget.limits}>
        <Disclosure title={words.budget.timeouts} open={form.at(['timeouts']) !== undefined || isWrong('timeouts')}>
          <AutoFieldsAt path={['timeouts']} />
        </Disclosure>
        <Disclosure title={words.budget.retries} open={form.at(['retries']) !== undefined || isWrong('retries')}>
          <AutoFieldsAt path={['retries']} />
        </Disclosure>
      </Panel>
    </>
  );
}
