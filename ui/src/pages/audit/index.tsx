import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function AuditPage() {
  useTitle(shell.pages.audit);
  return <PageHead title={shell.pages.audit} />;
}
