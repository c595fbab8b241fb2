import { CircleAlert, History } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ApiError } from '@/api/error';
import { Button } from '@/components/Button';
import { cx } from '@/components/cx';
import { RelativeTime } from '@/components/Time';
import type { Problem } from '@/document/read';
import { editor as words } from '@/text/editor';

/** A strip above the form. */
export function Note({
  tone,
  icon,
  children,
  actions,
  alert,
}: {
  tone: 'info' | 'warn' | 'bad';
  icon: ReactNode;
  children: ReactNode;
  actions?: ReactNode;
  alert?: boolean;
}) {
  const tones = { info: 'bg-accent-soft', warn: 'bg-warn-soft', bad: 'bg-bad-soft' };
  return (
    <div
      role={alert ? 'alert' : undefined}
      className={cx('mb-3 flex flex-wrap items-start gap-x-3 gap-y-2 rounded-md px-3 py-2', tones[tone])}
    >
      <span className="mt-0.5 shrink-0">{icon}</span>
      <div className="min-w-0 flex-1 basis-60 [overflow-wrap:anywhere]">{children}</div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}

/** What was not saved the last time is here again. */
export function DraftNote({ at, isOlder, onDiscard }: { at: number; isOlder: boolean; onDiscard: () => void }) {
  return (
    <Note
      tone="info"
      icon={<History aria-hidden className="size-4 text-accent" />}
      actions={
        <Button size="sm" onClick={onDiscard}>
          {words.discardDraft}
        </Button>
      }
    >
      {words.draft} <RelativeTime at={at} />
      {isOlder && <p className="text-warn">{words.draftOlder}</p>}
    </Note>
  );
}

/** The text cannot be read, so there is no form of it. */
export function ProblemNote({ problem, onGo }: { problem: Problem; onGo: (line: number, column: number) => void }) {
  return (
    <Note
      alert
      tone="bad"
      icon={<CircleAlert aria-hidden className="size-4 text-bad" />}
      actions={
        <Button size="sm" onClick={() => onGo(problem.line, problem.column)}>
          {words.goThere}
        </Button>
      }
    >
      <p className="font-medium">{words.formStopped}</p>
      <p>{words.formStoppedWhy(problem.line, problem.column, problem.message)}</p>
    </Note>
  );
}

/** Why the server did not take the document. What concerns the name stands beside the name. */
export function SaveProblem({ error }: { error: ApiError | null }) {
  if (!error) return null;
  return (
    <Note alert tone="bad" icon={<CircleAlert aria-hidden className="size-4 text-bad" />}>
      <p className="font-medium">{words.notSaved}</p>
      <p>
        {error.message}
        {error.hint && <span className="text-muted"> {error.hint}</span>}
      </p>
    </Note>
  );
}
