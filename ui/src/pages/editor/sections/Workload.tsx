import { Panel } from '@/components/Card';
import { Segmented } from '@/components/Segmented';
import { AutoAt, MoreAt } from '@/document/fields/AutoFields';
import { ChoiceAt, NumberAt, SwitchAt } from '@/document/fields/ScalarFields';
import { useForm } from '@/document/form';
import { editor as words } from '@/text/editor';
import { ClassList } from '../workload/ClassList';
import { ConversationAt } from '../workload/ConversationAt';
import { DatasetAt } from '../workload/DatasetAt';
import { LengthsPlot } from '../workload/LengthsPlot';
import { ScenarioAt } from '../workload/ScenarioAt';
import { SHOWN_KEYS, setSource, sourceOf, type WorkloadSource } from '../workload/source';

const PATH = ['workload'];

/** What is asked of the model. */
export function Workload() {
  const form = useForm();
  const source = sourceOf(form.at(PATH));
  return (
    <>
      <Panel title={words.workload.prompts}>
        <div className="space-y-3">
          <Segmented
            label={words.workload.source}
            value={source}
            options={(['scenario', 'dataset', 'classes'] as WorkloadSource[]).map((value) => ({
              value,
              label: words.workload.sources[value],
            }))}
            onChange={(next) => form.change((text, guide) => setSource(text, form.at(PATH), next, guide))}
          />
          <p className="text-xs text-faint">{words.workload.sourceHelp[source]}</p>
          {source === 'scenario' && <ScenarioAt path={[...PATH, 'scenario']} />}
          {source === 'dataset' && (
            <>
              <DatasetAt path={PATH} />
              <NumberAt path={[...PATH, 'output_tokens']} />
            </>
          )}
          {source === 'classes' && <ClassList />}
        </div>
      </Panel>
      <LengthsPlot />
      {source !== 'classes' && (
        <Panel title={words.workload.conversation}>
          <ConversationAt path={[...PATH, 'conversation']} />
        </Panel>
      )}
      <Panel title={words.workload.requests}>
        <div className="grid gap-3 sm:grid-cols-2">
          <ChoiceAt path={[...PATH, 'api']} names={words.apis} />
          <NumberAt path={[...PATH, 'temperature']} />
          <SwitchAt path={[...PATH, 'ignore_eos']} />
          <SwitchAt path={[...PATH, 'salt']} />
          <AutoAt path={[...PATH, 'extra_body']} className="sm:col-span-2" />
        </div>
        <div className="mt-3">
          <MoreAt path={PATH} skip={SHOWN_KEYS} title={words.workload.more} />
        </div>
      </Panel>
    </>
  );
}
