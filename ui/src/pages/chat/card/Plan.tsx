import { ArrowRight, TriangleAlert } from 'lucide-react';
import { Badge } from '@/components/Badge';
import { chat } from '@/text/chat';
import { isRecord } from '../state/result';
import type { Call } from '../state/talk';
import { Arguments } from './Arguments';
import { foretold } from './effects';

interface Planned {
  tool: string;
  arguments?: unknown;
}

/** A plan as its calls in order: what each does, what it needs, and with which arguments. */
export function Plan({ call }: { call: Call }) {
  const args = isRecord(call.args) ? call.args : {};
  const calls = Array.isArray(args.calls) ? (args.calls as Planned[]) : [];
  const said = foretold(call.effects?.would).calls ?? [];
  return (
    <div className="space-y-2">
      {typeof args.purpose === 'string' && (
        <p className="[overflow-wrap:anywhere]">
          <span className="text-muted">{chat.card.planPurpose}: </span>
          {args.purpose}
        </p>
      )}
      <ol aria-label={chat.card.planCalls(calls.length)} className="space-y-1.5">
        {calls.map((planned, index) => (
          <li key={index} className="rounded-md border border-line bg-page p-2">
            <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <span className="text-faint">{index + 1}</span>
              <code className="font-mono text-xs font-medium">{planned.tool}</code>
              {said[index]?.does && (
                <>
                  <ArrowRight aria-hidden className="size-3.5 text-faint" />
                  <span className="min-w-0 [overflow-wrap:anywhere]">{said[index].does}</span>
                </>
              )}
              {said[index]?.scope && <Badge className="ml-auto">{said[index].scope}</Badge>}
            </div>
            {said[index]?.problem && (
              <p className="mt-1 flex gap-1.5 text-bad">
                <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
                {said[index].problem}
              </p>
            )}
            {isRecord(planned.arguments) && Object.keys(planned.arguments).length > 0 && (
              <div className="mt-1">
                <Arguments args={planned.arguments} />
              </div>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
