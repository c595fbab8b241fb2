import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function JobsPage() {
  useTitle(shell.pages.jobs);
  return <PageHead title={shell.pages.jobs} />;
}
