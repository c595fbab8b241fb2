import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function PresetsPage() {
  useTitle(shell.pages.presets);
  return <PageHead title={shell.pages.presets} />;
}
