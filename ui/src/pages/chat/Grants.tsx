import { KeyRound } from 'lucide-react';
import { useGrants, useRevoke } from '@/api/chat';
import type { GrantRow } from '@/api/types/chat';
import { toastError } from '@/app/toasts';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { cx } from '@/components/cx';
import { Loaded } from '@/components/States';
import { RelativeTime, useNow } from '@/components/Time';
import { duration } from '@/format';
import { chat } from '@/text/chat';
import { useChat } from './context';
import { isLive, readOthersAt } from './state/grants';
import type { Talk } from './state/talk';

const words = chat.details;

/** What the agent has standing leave for in this conversation, with how far it was used. */
export function Grants({ talk }: { talk: Talk }) {
  const { session } = useChat();
  const grants = useGrants(session);
  const now = useNow();
  const others = readOthersAt(talk);
  const nothing = (
    <p className="text-muted">
      {words.noGrants} <span className="text-faint">{words.noGrantsHint}</span>
    </p>
  );
  return (
    <Loaded of={grants} empty={nothing}>
      {(items) => (
        <ul className="space-y-1.5">
          {items.toReversed().map((grant) => (
            <Grant
              key={grant.id}
              grant={grant}
              live={isLive(grant, now)}
              sleeps={!grant.calls && Date.parse(grant.created_at) < others}
            />
          ))}
        </ul>
      )}
    </Loaded>
  );
}

function Grant({ grant, live, sleeps }: { grant: GrantRow; live: boolean; sleeps: boolean }) {
  const { session, may, scopes } = useChat();
  const revoke = useRevoke(session);
  const text = scopes?.find((one) => one.scope === grant.scope)?.text;
  return (
    <li className={cx('rounded-md border border-line p-2', !live && 'opacity-75')}>
      <div className="flex flex-wrap items-center gap-2">
        <KeyRound aria-hidden className={cx('size-4', live ? 'text-warn' : 'text-faint')} />
        <code className="font-mono text-xs font-medium">{grant.scope}</code>
        {!live && <Badge>{grant.revoked_at ? words.revoked : words.expired}</Badge>}
        {live && may && (
          <Button
            size="sm"
            className="ml-auto"
            busy={revoke.isPending}
            onClick={() => revoke.mutate(grant.id, { onError: (error) => toastError(error) })}
          >
            {words.revoke}
          </Button>
        )}
      </div>
      {text && <p className="mt-1 text-muted">{text}</p>}
      {live && sleeps && <p className="mt-1 text-warn">{words.sleeps}</p>}
      <p className="mt-1 text-xs text-faint">
        {words.by(grant.by)} · <RelativeTime at={grant.created_at} /> ·{' '}
        {grant.expires_at ? (
          <>
            {words.until} <RelativeTime at={grant.expires_at} exact />
          </>
        ) : (
          words.untilRevoked
        )}
        {reach(grant).map((part) => ` · ${part}`)}
      </p>
    </li>
  );
}

/** How far it reaches and was used, in parts. */
function reach({ tool, task, calls, limits, uses, spent }: GrantRow): string[] {
  const parts: string[] = [];
  if (tool) parts.push(words.onlyTool(tool));
  if (task) parts.push(words.onlyTask(task.slice(0, 8)));
  if (calls) parts.push(words.planLeft(calls.length));
  parts.push(limits.uses === undefined ? words.used(uses) : words.usedOf(uses, limits.uses));
  if (limits.experiments !== undefined) parts.push(words.experimentsOf(spent.experiments, limits.experiments));
  if (limits.gpu_seconds !== undefined) {
    parts.push(words.gpuOf(duration(spent.gpu_seconds), duration(limits.gpu_seconds)));
  }
  return parts;
}
