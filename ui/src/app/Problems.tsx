import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { Bug, Compass } from 'lucide-react';
import { ApiError } from '@/api/error';
import { Button } from '@/components/Button';
import { CodeBlock } from '@/components/Copy';
import { Empty, ErrorView } from '@/components/States';
import { shell } from '@/text/shell';
import { useTitle } from './title';

export function NotFound() {
  useTitle(shell.notFound);
  return (
    <div className="pt-12">
      <Empty icon={<Compass aria-hidden className="size-6" />} title={shell.notFound} text={shell.notFoundHint}>
        <Link to="/" className="text-accent underline">
          {shell.toDashboard}
        </Link>
      </Empty>
    </div>
  );
}

/** A page died; the rest of the shell goes on. */
export function PageError({ error, reset }: ErrorComponentProps) {
  useTitle(shell.broken);
  if (error instanceof ApiError) return <ErrorView error={error} onRetry={reset} />;
  return (
    <div role="alert" className="mx-auto max-w-2xl pt-12">
      <Empty icon={<Bug aria-hidden className="size-6 text-bad" />} title={shell.broken} text={shell.brokenHint}>
        <Button onClick={() => window.location.reload()}>{shell.reload}</Button>
      </Empty>
      <CodeBlock text={error instanceof Error && error.stack ? error.stack : String(error)} label={shell.broken} />
    </div>
  );
}
