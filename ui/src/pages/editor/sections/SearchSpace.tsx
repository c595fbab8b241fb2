import { Panel } from '@/components/Card';
import { Disclosure } from '@/components/Disclosure';
import { LinesAt } from '@/document/fields/ListFields';
import { useForm } from '@/document/form';
import { FlagList } from '@/document/parameters/FlagList';
import { ParameterList } from '@/document/parameters/ParameterList';
import { isRecord } from '@/document/path';
import { editor as words } from '@/text/editor';
import { useAround } from '../knowledge';

const count = (value: unknown) =>
  Array.isArray(value) ? value.length : isRecord(value) ? Object.keys(value).length : 0;

/** What may vary, under which conditions, and what stays the same. */
export function SearchSpace() {
  const { engine, catalogue } = useAround();
  const form = useForm();
  const constraints = count(form.at(['search_space', 'constraints']));
  const attached = form.at(['backend', 'kind']) === 'attached';
  return (
    <>
      <Panel title={words.space.parameters} note={words.space.parametersNote}>
        {attached && <p className="mb-3 text-warn">{words.space.attached}</p>}
        <ParameterList path={['search_space', 'parameters']} catalogue={catalogue} engine={engine} />
      </Panel>
      <Panel title={words.space.constraints} note={constraints > 0 ? constraints : undefined}>
        <p className="mb-2 text-muted">{words.space.constraintsHelp}</p>
        <LinesAt
          path={['search_space', 'constraints']}
          addLabel={words.space.addConstraint}
          placeholder="max-num-batched-tokens >= max-num-seqs"
        />
        <Disclosure className="mt-2" title={words.space.language}>
          <ul className="list-disc space-y-1 pl-5 text-muted">
            {words.space.languageLines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </Disclosure>
      </Panel>
      <Panel title={words.space.fixed} note={count(form.at(['engine', 'fixed'])) || undefined}>
        <p className="mb-2 text-muted">{words.space.fixedHelp}</p>
        <FlagList path={['engine', 'fixed']} catalogue={catalogue} engine={engine} />
      </Panel>
      <Panel title={words.space.baseline} note={count(form.at(['baseline'])) || words.space.baselineDefault}>
        <p className="mb-2 text-muted">{words.space.baselineHelp}</p>
        <FlagList path={['baseline']} catalogue={catalogue} engine={engine} />
      </Panel>
    </>
  );
}
