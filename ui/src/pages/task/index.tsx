import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function TaskPage() {
  useTitle(shell.pages.task);
  return <PageHead title={shell.pages.task} />;
}
