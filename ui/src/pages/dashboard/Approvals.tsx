import { Link } from '@tanstack/react-router';
import { BellRing } from 'lucide-react';
import { useSessions } from '@/api/agent';
import { Panel } from '@/components/Card';
import { dashboard as text } from '@/text/dashboard';
import { shell } from '@/text/shell';

/** Calls of the agent that wait for a person; nothing where none does. */
export function Approvals() {
  const { data } = useSessions();
  const waiting = (data ?? []).filter((session) => session.waiting > 0);
  if (waiting.length === 0) return null;
  return (
    <Panel title={text.approvals} className="border-warn/50" flush>
      <ul className="divide-y divide-line">
        {waiting.map((session) => (
          <li key={session.id} className="flex items-center gap-2 px-3 py-2">
            <BellRing aria-hidden className="size-4 shrink-0 text-warn" />
            <div className="min-w-0 flex-1">
              <div className="truncate font-medium" title={session.title}>
                {session.title || shell.untitledChat}
              </div>
              <div className="text-xs text-warn">{shell.waiting(session.waiting)}</div>
            </div>
            <Link
              to="/chat/$session"
              params={{ session: session.id }}
              className="shrink-0 text-xs text-accent hover:underline"
            >
              {text.approve}
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
