import { Panel } from '@/components/Card';
import { Disclosure } from '@/components/Disclosure';
import { NamedTextsAt, WordsAt } from '@/document/fields/ListFields';
import { ChoiceAt, NumberAt, TextAt } from '@/document/fields/ScalarFields';
import { Help } from '@/document/fields/words';
import { useForm } from '@/document/form';
import { isRecord } from '@/document/path';
import { editor as words } from '@/text/editor';
import { useAround } from '../knowledge';

/** What is served, by what, and where. */
export function Basics() {
  const { engine, nameTaken } = useAround();
  const form = useForm();
  const backend = form.at(['backend', 'kind']);
  const isAttached = backend === 'attached';
  return (
    <>
      <Panel title={words.basics.task}>
        <div className="space-y-3">
          <TextAt
            path={['name']}
            hint={nameTaken ? <span className="text-bad">{nameTaken}</span> : undefined}
            keepEmpty
          />
          <TextAt path={['description']} lines={2} hint={null} />
        </div>
      </Panel>
      <Panel title={words.basics.model}>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextAt path={['model', 'id']} mono placeholder="organisation/name" />
          <TextAt path={['model', 'path']} mono placeholder="/models/…" />
          <TextAt path={['model', 'served_name']} mono />
          <TextAt path={['model', 'tokenizer']} mono />
        </div>
        {form.under(['model']).length > 0 && <ModelFindings />}
      </Panel>
      <Panel title={words.basics.engine}>
        <div className="grid gap-3 sm:grid-cols-2">
          <ChoiceAt path={['engine', 'name']} required />
          <TextAt path={['engine', 'version']} mono />
          <NumberAt path={['engine', 'gpus']} />
          {engine === 'simulated' && (
            <>
              <TextAt path={['engine', 'hardware', 'gpu']} mono placeholder="h100-80g" />
              <NumberAt path={['engine', 'hardware', 'count']} />
              <NumberAt path={['engine', 'hardware', 'speed']} />
            </>
          )}
        </div>
        <Disclosure
          className="mt-3"
          title={words.basics.commandAndEnv}
          open={form.at(['engine', 'command']) !== undefined || form.at(['engine', 'env']) !== undefined}
        >
          <div className="space-y-3">
            <WordsAt path={['engine', 'command']} hint={words.basics.commandHint} />
            <div>
              <p className="mb-1 font-medium">{words.basics.env}</p>
              <NamedTextsAt
                path={['engine', 'env']}
                nameLabel={words.basics.envName}
                valueLabel={words.basics.envValue}
                addLabel={words.add}
              />
            </div>
          </div>
        </Disclosure>
      </Panel>
      <Panel title={words.basics.backend}>
        <div className="grid gap-3 sm:grid-cols-2">
          <ChoiceAt
            path={['backend', 'kind']}
            names={words.backends}
            onChoose={(kind) =>
              form.set(['backend'], kind === undefined ? undefined : backendAs(form.at(['backend']), kind))
            }
          />
          {isAttached && (
            <>
              <TextAt path={['backend', 'url']} mono placeholder="http://127.0.0.1:8000" />
              <TextAt path={['backend', 'api_key_env']} mono />
            </>
          )}
          {backend === 'docker' && <TextAt path={['backend', 'image']} mono />}
          {backend === 'kubernetes' && <TextAt path={['backend', 'namespace']} mono />}
        </div>
      </Panel>
    </>
  );
}

function backendAs(old: unknown, kind: string): Record<string, unknown> {
  const url = isRecord(old) && typeof old.url === 'string' ? old.url : '';
  return kind === 'attached' ? { kind, url } : { kind };
}

/** Findings about the model as a whole: that one of its fields is missing. */
function ModelFindings() {
  const form = useForm();
  const whole = form.error(['model']);
  return whole ? (
    <p className="mt-2 text-xs text-bad">
      <Help text={[whole.message, whole.help].filter(Boolean).join(' · ')} />
    </p>
  ) : null;
}
