import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function ComparePage() {
  useTitle(shell.pages.compare);
  return <PageHead title={shell.pages.compare} />;
}
