import { useMemo, useState } from 'react';
import { stringify } from 'yaml';
import { useAgentTools } from '@/api/agent';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { TextArea } from '@/components/Field';
import { resolved, type Schema, typesOf } from '@/document/schema';
import { chat } from '@/text/chat';
import { common } from '@/text/common';
import type { Call } from '../state/talk';
import { ArgumentsDiff } from './EffectsView';
import { readArguments } from './edited';

const words = chat.edit;

interface EditDialogProps {
  call: Call;
  onAllow: (args: unknown) => void;
  onClose: () => void;
}

/** Other arguments in place of the model's, checked against the tool's schema as they are typed. */
export default function EditDialog({ call, onAllow, onClose }: EditDialogProps) {
  const tools = useAgentTools();
  const schema = tools.data?.items.find((tool) => tool.name === call.tool)?.parameters as Schema | undefined;
  const original = useMemo(() => stringify(call.args, { lineWidth: 0 }), [call.args]);
  const [text, setText] = useState(original);
  const { value, problems } = useMemo(() => readArguments(text, schema), [text, schema]);
  const changed = JSON.stringify(value) !== JSON.stringify(call.args);
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={words.title(call.tool)}
      description={words.help}
      width="lg"
      actions={
        <>
          <Button className="mr-auto" tone="quiet" disabled={text === original} onClick={() => setText(original)}>
            {words.reset}
          </Button>
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button tone="primary" disabled={!changed || problems.length > 0} onClick={() => onAllow(value)}>
            {words.allow}
          </Button>
        </>
      }
    >
      <div className="grid gap-4 lg:grid-cols-[3fr_2fr]">
        <div className="min-w-0 space-y-2">
          <TextArea
            label={words.label}
            mono
            rows={Math.min(24, Math.max(8, text.split('\n').length + 1))}
            spellCheck={false}
            value={text}
            onChange={setText}
            error={problems.length > 0 ? words.fix : undefined}
            hint={changed ? undefined : words.same}
          />
          {problems.length > 0 && (
            <ul aria-live="polite" className="space-y-0.5 text-bad [overflow-wrap:anywhere]">
              {problems.map((problem, index) => (
                <li key={index}>{problem}</li>
              ))}
            </ul>
          )}
          {changed && problems.length === 0 && <ArgumentsDiff before={call.args} after={value} />}
        </div>
        {schema && <Fields schema={schema} />}
      </div>
    </Dialog>
  );
}

function Fields({ schema }: { schema: Schema }) {
  return (
    <section aria-label={words.fields} className="min-w-0">
      <h3 className="mb-1 font-medium">{words.fields}</h3>
      <dl className="space-y-1.5">
        {Object.entries(schema.properties ?? {}).map(([name, raw]) => {
          const of = resolved(raw, schema);
          return (
            <div key={name}>
              <dt className="flex flex-wrap items-baseline gap-2">
                <code className="font-mono text-xs font-medium">{name}</code>
                <span className="text-xs text-faint">
                  {typesOf(of).join(', ')}
                  {schema.required?.includes(name) && ` · ${words.required}`}
                </span>
              </dt>
              {of.description && <dd className="text-xs text-muted">{of.description}</dd>}
            </div>
          );
        })}
      </dl>
    </section>
  );
}
