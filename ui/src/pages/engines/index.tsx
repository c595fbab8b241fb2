import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function EnginesPage() {
  useTitle(shell.pages.engines);
  return <PageHead title={shell.pages.engines} />;
}
