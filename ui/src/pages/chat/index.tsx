import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { shell } from '@/text/shell';

export default function ChatPage() {
  useTitle(shell.pages.chat);
  return <PageHead title={shell.pages.chat} />;
}
