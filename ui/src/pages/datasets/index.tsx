import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function DatasetsPage() {
  useTitle(shell.pages.datasets);
  return <PageHead title={shell.pages.datasets} />;
}
