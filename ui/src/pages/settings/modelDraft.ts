import type { AgentChange, AgentProvider, AgentSettings } from '@/api/types/agent';

/** What a person has typed. Fields that were not touched go on showing what the server says. */
export interface Draft {
  provider?: AgentProvider;
  model?: string;
  base_url?: string;
  api_key: string;
}

export const UNTOUCHED: Draft = { api_key: '' };
export const PROVIDERS: readonly AgentProvider[] = ['local', 'openai', 'anthropic'];

type Name = keyof AgentSettings;

/** The variable that keeps a field as it is; `null` where a person may change it. */
export function fixedBy(settings: AgentSettings, name: Name): string | null {
  if (settings[name].from === 'variable') return settings[name].variable;
  // A key is sent nowhere but where it was meant for, and a variable's key cannot be given anew here.
  return name === 'base_url' && settings.api_key.from === 'variable' ? settings.api_key.variable : null;
}

/** What the form shows. Defaults of the server are no text of the field: they change with the provider. */
export function shown(settings: AgentSettings, draft: Draft) {
  const text = (name: 'model' | 'base_url') => {
    const { value, from } = settings[name];
    const told = from === 'default' ? '' : (value ?? '');
    return fixedBy(settings, name) ? told : (draft[name] ?? told);
  };
  const told = PROVIDERS.find((one) => one === settings.provider.value) ?? 'local';
  return {
    provider: fixedBy(settings, 'provider') ? told : (draft.provider ?? told),
    model: text('model'),
    base_url: text('base_url'),
    api_key: fixedBy(settings, 'api_key') ? '' : draft.api_key,
  };
}

/** What saving sends: only what differs from what the server says. */
export function changesOf(settings: AgentSettings, draft: Draft): AgentChange {
  const now = shown(settings, UNTOUCHED);
  const then = shown(settings, draft);
  const change: AgentChange = {};
  if (then.provider !== now.provider) change.provider = then.provider;
  for (const name of ['model', 'base_url'] as const) {
    if (then[name].trim() !== now[name].trim()) change[name] = then[name].trim() || null;
  }
  if (then.api_key.trim()) change.api_key = then.api_key.trim();
  return change;
}

export function isChange(change: AgentChange): boolean {
  return Object.keys(change).length > 0;
}

export type Needed = 'model' | 'base_url' | 'api_key';

/** What a provider needs besides the model. */
export const NEEDS: Record<AgentProvider, Needed> = { local: 'base_url', openai: 'api_key', anthropic: 'api_key' };

/** What is still missing once the form is saved. */
export function missingOf(settings: AgentSettings, draft: Draft): Needed[] {
  const then = shown(settings, draft);
  const change = changesOf(settings, draft);
  const keepsKey = settings.api_key.is_set && !forgetsKey(settings, change);
  const has = {
    model: then.model.trim() !== '',
    base_url: then.base_url.trim() !== '',
    api_key: keepsKey || change.api_key !== undefined,
  };
  return (['model', NEEDS[then.provider]] as const).filter((name) => !has[name]);
}

/** Whether saving has the server forget the key of the file, which was given for another provider or address. */
export function forgetsKey(settings: AgentSettings, change: AgentChange): boolean {
  const moves = change.provider !== undefined || change.base_url !== undefined;
  return moves && settings.api_key.from === 'file' && change.api_key === undefined;
}
