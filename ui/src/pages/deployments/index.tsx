import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function DeploymentsPage() {
  useTitle(shell.pages.deployments);
  return <PageHead title={shell.pages.deployments} />;
}
