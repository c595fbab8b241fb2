import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function DashboardPage() {
  useTitle(shell.pages.dashboard);
  return <PageHead title={shell.pages.dashboard} />;
}
