import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function TasksPage() {
  useTitle(shell.pages.tasks);
  return <PageHead title={shell.pages.tasks} />;
}
