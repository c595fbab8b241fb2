import { Link } from '@tanstack/react-router';
import { Unplug } from 'lucide-react';
import { useMay } from '@/api/role';
import type { Schemas } from '@/api/types';
import { Badge } from '@/components/Badge';
import { CodeBlock } from '@/components/Copy';
import { chat } from '@/text/chat';

const words = chat.setup;

/** What to set so that the agent can be talked with. */
export function Setup({ status }: { status: Schemas['AgentStatus'] }) {
  const may = useMay('admin');
  return (
    <section aria-label={words.title} className="space-y-3 rounded-lg border border-line bg-surface p-4">
      <h2 className="flex items-center gap-2 text-lg font-semibold">
        <Unplug aria-hidden className="size-5 text-warn" />
        {words.title}
      </h2>
      <p className="first-letter:uppercase">{status.message}.</p>
      <p className="text-muted">{words.text}</p>
      {may && (
        <Link to="/settings" search={{ tab: 'agent' }} className="text-accent underline">
          {words.toSettings}
        </Link>
      )}
      <div className="overflow-x-auto rounded-md border border-line">
        <table className="w-full">
          <thead className="bg-sunken text-left">
            <tr>
              <th className="px-2 py-1 font-semibold">{words.variable}</th>
              <th className="px-2 py-1 font-semibold">{words.meaning}</th>
            </tr>
          </thead>
          <tbody>
            {words.variables.map(([name, meaning]) => (
              <tr key={name} className="border-t border-line">
                <td className="whitespace-nowrap px-2 py-1">
                  <code className="font-mono text-xs">{name}</code>{' '}
                  {status.missing_config.includes(name) && <Badge tone="warn">{words.missing}</Badge>}
                </td>
                <td className="px-2 py-1 text-muted">{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div>
        <div className="mb-1 text-muted">{words.example}</div>
        <CodeBlock text={words.command} label={words.example} wrap />
      </div>
      <p className="text-muted">{words.stillWorks}</p>
    </section>
  );
}
