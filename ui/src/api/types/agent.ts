/** What `/api/agent/settings` takes and gives. */

export type AgentProvider = 'local' | 'openai' | 'anthropic';

/** What says a setting. A variable of the service's environment goes before the file. */
export type SettingFrom = 'variable' | 'file' | 'default';

export interface AgentField {
  value: string | null;
  from: SettingFrom;
  /** The variable that sets it too. */
  variable: string;
}

export interface AgentSettings {
  provider: AgentField;
  model: AgentField;
  base_url: AgentField;
  /** The key itself is never told. */
  api_key: { is_set: boolean; from: SettingFrom; variable: string };
}

/** What is absent stays as it is; `null` is removed from the file. */
export interface AgentChange {
  provider?: AgentProvider;
  model?: string | null;
  base_url?: string | null;
  api_key?: string | null;
}
