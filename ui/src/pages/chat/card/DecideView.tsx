import { Check, ChevronDown, KeyRound, Pencil, TriangleAlert } from 'lucide-react';
import { lazy, Suspense, useId, useState } from 'react';
import { Button, IconButton } from '@/components/Button';
import { Menu, type MenuItem } from '@/components/Menu';
import { chat } from '@/text/chat';
import { useChat } from '../context';
import type { Call } from '../state/talk';
import { DenyPanel } from './DenyPanel';
import { taskOf } from './effects';
import { inHours, LeaveDialog } from './LeaveDialog';
import { useDecide } from './useDecide';

const EditDialog = lazy(() => import('./EditDialog'));
const words = chat.decide;
const ICON = 'size-3.5';
/** Leave for a plan is leave for its calls; there is no standing leave for plans. */
const PLAN = 'plan';

/** The buttons of a call that waits. None of them has the focus by itself. */
export function DecideView({ call }: { call: Call }) {
  const { session, may, scopes } = useChat();
  const decide = useDecide(session, call);
  const [panel, setPanel] = useState<'deny' | 'edit' | 'limits' | null>(null);
  const denyId = useId();
  if (!may) return <p className="text-muted">{words.noRole}</p>;
  const busy = decide.deciding !== null;
  // A scope that the server does not list is one that it would refuse.
  const scope = scopes?.find((one) => one.scope === call.scope);
  const isPlan = call.scope === PLAN;
  const authorizing = decide.deciding === 'once' || decide.deciding === 'leave';
  const task = taskOf(call.args);
  return (
    <section aria-label={words.region} className="space-y-2">
      <div className="flex flex-wrap items-center gap-1.5">
        <Button
          size="sm"
          tone="primary"
          busy={decide.deciding === 'once'}
          disabled={busy}
          icon={<Check aria-hidden className={ICON} />}
          onClick={() => void decide.once()}
        >
          {decide.deciding === 'once' ? words.authorizing : isPlan ? words.plan : words.once}
        </Button>
        {scope && !isPlan && (
          <span className="inline-flex max-w-full">
            <Button
              size="sm"
              className="min-w-0 shrink rounded-r-none border-r-0"
              busy={decide.deciding === 'leave'}
              disabled={busy}
              title={words.grantHelp(scope.scope)}
              icon={<KeyRound aria-hidden className={ICON} />}
              onClick={() => void decide.leave({ scope: scope.scope })}
            >
              {decide.deciding === 'leave' ? words.authorizing : words.grant(scope.scope)}
            </Button>
            <Menu
              align="start"
              items={grantMenu(
                call,
                task,
                (leave) => void decide.leave({ scope: scope.scope, ...leave }),
                () => setPanel('limits'),
              )}
            >
              <IconButton
                size="sm"
                tone="plain"
                className="rounded-l-none"
                disabled={busy}
                label={words.grantMore(scope.scope)}
                icon={<ChevronDown aria-hidden className={ICON} />}
              />
            </Menu>
          </span>
        )}
        {!isPlan && (
          <Button
            size="sm"
            disabled={busy}
            icon={<Pencil aria-hidden className={ICON} />}
            onClick={() => setPanel('edit')}
          >
            {words.edit}
          </Button>
        )}
        <Button
          size="sm"
          tone="danger"
          className="sm:ml-auto"
          disabled={busy}
          aria-expanded={panel === 'deny'}
          aria-controls={denyId}
          onClick={() => setPanel(panel === 'deny' ? null : 'deny')}
        >
          {words.deny}
        </Button>
      </div>
      <div id={denyId} hidden={panel !== 'deny'}>
        {panel === 'deny' && <DenyPanel decide={decide} />}
      </div>
      <p className="sr-only" aria-live="polite">
        {authorizing ? words.authorizing : ''}
      </p>
      {decide.problem && <Problem of={decide.problem} />}
      {panel === 'limits' && scope && (
        <LeaveDialog
          scope={scope.scope}
          text={scope.text}
          tool={call.tool}
          task={task}
          onClose={() => setPanel(null)}
          onGrant={(leave) => {
            setPanel(null);
            void decide.leave(leave);
          }}
        />
      )}
      {panel === 'edit' && (
        <Suspense fallback={null}>
          <EditDialog
            call={call}
            onClose={() => setPanel(null)}
            onAllow={(args) => {
              setPanel(null);
              void decide.once(args);
            }}
          />
        </Suspense>
      )}
    </section>
  );
}

type Reach = { expiresAt?: string; tool?: string; task?: string };

function grantMenu(call: Call, task: string | undefined, grant: (reach: Reach) => void, more: () => void): MenuItem[] {
  const items: MenuItem[] = [
    { label: words.hour, onSelect: () => grant({ expiresAt: inHours(1) }) },
    { label: words.day, onSelect: () => grant({ expiresAt: inHours(8) }) },
    { label: words.tool(call.tool), onSelect: () => grant({ tool: call.tool }) },
  ];
  if (task !== undefined) items.push({ label: words.task(task), onSelect: () => grant({ task }) });
  return [...items, { kind: 'line' }, { label: words.limits, onSelect: more }];
}

function Problem({ of }: { of: string | { message: string; hint?: string } }) {
  const { message, hint } = typeof of === 'string' ? { message: of } : of;
  return (
    <p role="alert" className="flex gap-1.5 text-bad [overflow-wrap:anywhere]">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span>
        {message}
        {hint && <span className="block text-muted">{hint}</span>}
      </span>
    </p>
  );
}
