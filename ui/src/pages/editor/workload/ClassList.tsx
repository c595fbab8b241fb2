import { Plus, Trash2 } from 'lucide-react';
import { Button, IconButton } from '@/components/Button';
import { Disclosure } from '@/components/Disclosure';
import { Segmented } from '@/components/Segmented';
import { removeIn, setIn } from '@/document/edit';
import { AutoAt } from '@/document/fields/AutoFields';
import { ChoiceAt, NumberAt, TextAt } from '@/document/fields/ScalarFields';
import { FindingText } from '@/document/fields/words';
import { useForm } from '@/document/form';
import { isRecord, type Path } from '@/document/path';
import { editor as words } from '@/text/editor';
import { SloList } from '../goals/SloList';
import { ConversationAt } from './ConversationAt';
import { DatasetAt } from './DatasetAt';
import { ScenarioAt } from './ScenarioAt';

const PATH = ['workload', 'classes'];

/** Several kinds of requests in one run, each with its share. */
export function ClassList() {
  const form = useForm();
  const value = form.at(PATH);
  const list = Array.isArray(value) ? value : [];
  return (
    <div className="space-y-3">
      {list.map((one, index) => (
        <RequestClass key={index} value={one} path={[...PATH, index]} index={index} />
      ))}
      <Button
        size="sm"
        icon={<Plus aria-hidden className="size-3.5" />}
        onClick={() => form.insert(PATH, list.length, { name: `class-${list.length + 1}`, scenario: 'D(512,128)' })}
      >
        {words.workload.addClass}
      </Button>
    </div>
  );
}

function RequestClass({ value, path, index }: { value: unknown; path: Path; index: number }) {
  const form = useForm();
  const fields = isRecord(value) ? value : {};
  const isDataset = fields.dataset !== undefined || fields.prompts_file !== undefined;
  const finding = form.error(path);
  const setSource = (next: 'scenario' | 'dataset') =>
    form.change((text, guide) => {
      const put = next === 'dataset' ? { source: '' } : 'D(512,128)';
      const made = setIn(text, [...path, next], put, guide);
      const gone = next === 'dataset' ? ['scenario'] : ['dataset', 'prompts_file'];
      return gone.reduce((left, key) => removeIn(left, [...path, key], guide), made);
    });
  const slos = Array.isArray(fields.slos) ? fields.slos.length : 0;
  return (
    <section aria-label={words.workload.class(index + 1)} className="space-y-3 rounded-md border border-line p-3">
      <div className="flex items-start gap-2">
        <div className="grid flex-1 gap-2 sm:grid-cols-3">
          <TextAt path={[...path, 'name']} hint={null} keepEmpty />
          <NumberAt path={[...path, 'weight']} hint={null} />
          <ChoiceAt path={[...path, 'api']} names={words.apis} hint={null} />
        </div>
        <IconButton
          size="sm"
          label={words.workload.removeClass(index + 1)}
          icon={<Trash2 aria-hidden className="size-4" />}
          onClick={() => form.remove(path)}
        />
      </div>
      {finding && (
        <p className="text-xs text-bad">
          <FindingText finding={finding} />
        </p>
      )}
      <Segmented
        label={words.workload.source}
        value={isDataset ? 'dataset' : 'scenario'}
        options={[
          { value: 'scenario', label: words.workload.sources.scenario },
          { value: 'dataset', label: words.workload.sources.dataset },
        ]}
        onChange={setSource}
      />
      {isDataset ? <DatasetAt path={path} /> : <ScenarioAt path={[...path, 'scenario']} />}
      <Disclosure title={words.workload.classMore} note={slos > 0 ? words.goals.sloCount(slos) : undefined}>
        <div className="space-y-3">
          <SloList path={[...path, 'slos']} />
          <ConversationAt path={[...path, 'conversation']} />
          <div className="grid gap-3 sm:grid-cols-2">
            <NumberAt path={[...path, 'output_tokens']} />
            <NumberAt path={[...path, 'temperature']} />
            <AutoAt path={[...path, 'extra_body']} className="sm:col-span-2" />
          </div>
        </div>
      </Disclosure>
    </section>
  );
}
