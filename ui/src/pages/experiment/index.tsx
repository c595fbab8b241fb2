import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function ExperimentPage() {
  useTitle(shell.pages.experiment);
  return <PageHead title={shell.pages.experiment} />;
}
