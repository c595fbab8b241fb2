import type { EngineParameter } from '@/api/engines';
import { Panel } from '@/components/Card';
import { AutoAt } from '@/document/fields/AutoFields';
import { LinesAt } from '@/document/fields/ListFields';
import { ChoiceAt, TextAt } from '@/document/fields/ScalarFields';
import { ParameterList } from '@/document/parameters/ParameterList';
import { editor } from '@/text/editor';
import { presets as words } from '@/text/presets';

interface PresetFormProps {
  engine: string;
  catalogue: readonly EngineParameter[] | undefined;
  disabled: boolean;
  nameProblem: string | null;
}

export function PresetForm({ engine, catalogue, disabled, nameProblem }: PresetFormProps) {
  return (
    <form aria-label={words.form} onSubmit={(event) => event.preventDefault()}>
      <fieldset disabled={disabled} className="min-w-0 space-y-3 disabled:opacity-60">
        <Panel title={words.what}>
          <div className="grid gap-3 sm:grid-cols-2">
            <TextAt
              path={['name']}
              keepEmpty
              hint={nameProblem ? <span className="text-bad">{nameProblem}</span> : undefined}
            />
            <TextAt path={['category']} />
            <ChoiceAt path={['engine']} hint={words.schema.engine} />
            <TextAt path={['description']} className="sm:col-span-2" lines={2} hint={null} />
          </div>
        </Panel>
        <Panel title={words.parameters}>
          <ParameterList path={['parameters']} catalogue={catalogue} engine={engine} />
        </Panel>
        <Panel title={words.constraints}>
          <p className="mb-2 text-muted">{editor.space.constraintsHelp}</p>
          <LinesAt
            path={['constraints']}
            addLabel={editor.space.addConstraint}
            placeholder="max-num-batched-tokens >= max-num-seqs"
          />
        </Panel>
        <Panel title={words.metadata}>
          <AutoAt path={['metadata']} />
        </Panel>
      </fieldset>
    </form>
  );
}
