import { oneOf, type Raw } from '@/app/search';

export const TABS = ['access', 'tokens', 'service', 'agent', 'appearance', 'about'] as const;
export type SettingsTab = (typeof TABS)[number];

/** Which part is shown. */
export interface Search {
  tab?: SettingsTab;
}

export function readSearch(raw: Raw): Search {
  return { tab: oneOf(raw, 'tab', TABS) };
}
