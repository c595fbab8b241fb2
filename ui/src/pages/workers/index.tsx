import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function WorkersPage() {
  useTitle(shell.pages.workers);
  return <PageHead title={shell.pages.workers} />;
}
