import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function EditorPage() {
  useTitle(shell.pages.newTask);
  return <PageHead title={shell.pages.newTask} />;
}
