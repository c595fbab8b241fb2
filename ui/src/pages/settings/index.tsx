import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { Tabs } from '@/components/Tabs';
import { settings as text } from '@/text/settings';
import { shell } from '@/text/shell';
import { About } from './About';
import { Access } from './Access';
import { Agent } from './Agent';
import { Appearance } from './Appearance';
import { Service } from './Service';
import { type SettingsTab, TABS } from './search';
import { Tokens } from './Tokens';

const route = getRouteApi('/settings');

const PARTS: Record<SettingsTab, ReactNode> = {
  access: <Access />,
  tokens: <Tokens />,
  service: <Service />,
  agent: <Agent />,
  appearance: <Appearance />,
  about: <About />,
};

export default function SettingsPage() {
  useTitle(shell.pages.settings);
  const { tab = 'access' } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <>
      <PageHead title={shell.pages.settings} />
      <Tabs
        label={text.tabs}
        value={tab}
        onChange={(next) => void navigate({ search: (old) => ({ ...old, tab: next as SettingsTab }) })}
        tabs={TABS.map((value) => ({ value, label: text.tab[value], content: PARTS[value] }))}
      />
    </>
  );
}
