import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function SettingsPage() {
  useTitle(shell.pages.settings);
  return <PageHead title={shell.pages.settings} />;
}
