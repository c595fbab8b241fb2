import { Trash2 } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useAgentSettings, useChangeAgent } from '@/api/agent';
import type { AgentChange, AgentSettings } from '@/api/types/agent';
import { confirm } from '@/app/confirm';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { TextField } from '@/components/Field';
import { Select } from '@/components/Select';
import { Loaded } from '@/components/States';
import { common } from '@/text/common';
import { settings as text } from '@/text/settings';
import {
  changesOf,
  type Draft,
  fixedBy,
  forgetsKey,
  isChange,
  missingOf,
  PROVIDERS,
  shown,
  UNTOUCHED,
} from './modelDraft';

/** Gives the agent its model; for admins. */
export function AgentForm({ onSaved }: { onSaved: () => void }) {
  const settings = useAgentSettings();
  return (
    <Panel title={text.agentModel}>
      <Loaded of={settings}>{(found) => <Form settings={found} onSaved={onSaved} />}</Loaded>
    </Panel>
  );
}

function Form({ settings, onSaved }: { settings: AgentSettings; onSaved: () => void }) {
  const saving = useChangeAgent();
  const [draft, setDraft] = useState<Draft>(UNTOUCHED);
  const { provider, model, base_url, api_key } = shown(settings, draft);
  const change = changesOf(settings, draft);
  const missing = missingOf(settings, draft);
  const edit = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));

  const send = (wanted: AgentChange, kept: Partial<Draft>) =>
    saving.mutate(wanted, {
      onSuccess: () => {
        setDraft({ ...UNTOUCHED, ...kept });
        onSaved();
      },
    });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isChange(change)) send(change, {});
  };
  const removeKey = async () => {
    const wanted = await confirm({
      title: text.keyRemoveTitle,
      text: text.keyRemoveText,
      action: text.keyRemove,
      danger: true,
    });
    if (wanted) send({ api_key: null }, draft);
  };
  /** A field that a variable keeps as it is takes no text, and says why. */
  const standing = (name: keyof AgentSettings, hint?: string) => {
    const variable = fixedBy(settings, name);
    if (variable === null) return { hint };
    const why = variable === settings[name].variable ? text.setByVariable : text.keyByVariable;
    return { disabled: true, hint: why(variable) };
  };
  return (
    <form onSubmit={submit} autoComplete="off">
      <fieldset disabled={saving.isPending} className="min-w-0 space-y-3">
        <p className="text-muted">{text.agentModelText}</p>
        <Select
          label={text.provider}
          value={provider}
          options={PROVIDERS.map((value) => ({ value, label: text.providers[value] }))}
          {...standing('provider')}
          onChange={(value) => edit({ provider: value })}
        />
        <TextField
          label={text.model}
          value={model}
          {...standing('model', text.modelHint)}
          onChange={(value) => edit({ model: value })}
          mono
        />
        <TextField
          label={text.address}
          value={base_url}
          {...standing('base_url', text.addressHint[provider])}
          placeholder={text.addressPlaceholder[provider]}
          onChange={(value) => edit({ base_url: value })}
          mono
        />
        <div className="flex flex-wrap items-start gap-2">
          <TextField
            label={text.key}
            type="password"
            className="flex-1 basis-40"
            value={api_key}
            {...standing('api_key', text.keyHint[provider])}
            placeholder={keyPlaceholder(settings.api_key)}
            onChange={(value) => edit({ api_key: value })}
            mono
          />
          {settings.api_key.is_set && settings.api_key.from === 'file' && (
            <Button
              tone="danger"
              className="mt-6"
              icon={<Trash2 aria-hidden className="size-3.5" />}
              onClick={() => void removeKey()}
            >
              {text.keyRemove}
            </Button>
          )}
        </div>
        {forgetsKey(settings, change) && <p className="text-warn">{text.keyForgotten}</p>}
        {missing.length > 0 && (
          <p className="text-muted">{text.stillMissing(missing.map((name) => text.needed[name]))}</p>
        )}
        {saving.error && (
          <p role="alert" className="text-bad [overflow-wrap:anywhere]">
            {saving.error.message}
            {saving.error.hint && <span className="block text-muted">{saving.error.hint}</span>}
          </p>
        )}
        <div className="flex items-center gap-3">
          <Button type="submit" tone="primary" busy={saving.isPending} disabled={!isChange(change)}>
            {common.save}
          </Button>
          <span role="status" className="text-muted">
            {saving.isSuccess && !isChange(change) && text.agentSaved}
          </span>
        </div>
      </fieldset>
    </form>
  );
}

function keyPlaceholder({ is_set, from }: AgentSettings['api_key']): string {
  if (!is_set) return text.notSet;
  return from === 'variable' ? text.isSet : text.keyKept;
}
