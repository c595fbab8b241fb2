import { CircleCheck, CircleHelp, CircleX, type LucideIcon, ShieldX, TriangleAlert } from 'lucide-react';
import { Badge, type BadgeTone } from '@/components/Badge';
import { type Column, DataTable } from '@/components/DataTable';
import { RelativeTime } from '@/components/Time';
import { useNarrow } from '@/components/useNarrow';
import { audit as text } from '@/text/audit';
import { type Entry, outcomeClass } from './filter';
import type { OutcomeClass } from './search';

const LOOKS: Record<OutcomeClass, [BadgeTone, LucideIcon]> = {
  done: ['ok', CircleCheck],
  refused: ['bad', ShieldX],
  begun: ['warn', CircleHelp],
  failed: ['bad', CircleX],
  other: ['warn', TriangleAlert],
};

function Outcome({ outcome }: { outcome: string }) {
  const kind = outcomeClass(outcome);
  const [tone, Icon] = LOOKS[kind];
  return (
    <Badge tone={tone} title={text.outcomeHelp[kind]} icon={<Icon aria-hidden className="size-3.5 shrink-0" />}>
      {kind === 'other' ? outcome : text.outcomes[kind]}
    </Badge>
  );
}

function columnsOf(narrow: boolean): Column<Entry>[] {
  return [
    {
      id: 'when',
      label: text.when,
      width: narrow ? '6rem' : '10.5rem',
      sort: (entry) => entry.seq,
      cell: (entry) => <RelativeTime at={entry.began_at} exact={!narrow} />,
    },
    {
      id: 'actor',
      label: text.actor,
      width: 'minmax(8rem, 1fr)',
      hidden: narrow,
      sort: (entry) => entry.actor,
      cell: (entry) => <span title={entry.actor === 'local' ? text.local : entry.actor}>{entry.actor}</span>,
    },
    {
      id: 'action',
      label: text.action,
      width: 'minmax(7rem, 1fr)',
      sort: (entry) => entry.action,
      cell: (entry) => entry.action,
    },
    {
      id: 'target',
      label: text.target,
      width: 'minmax(10rem, 2fr)',
      hidden: narrow,
      sort: (entry) => entry.target,
      cell: (entry) => (
        <span className="font-mono text-xs" title={entry.target}>
          {entry.target}
        </span>
      ),
    },
    {
      id: 'outcome',
      label: text.outcome,
      width: narrow ? '8rem' : '11rem',
      sort: (entry) => entry.outcome,
      cell: (entry) => <Outcome outcome={entry.outcome} />,
    },
    {
      id: 'peer',
      label: text.peer,
      width: '9rem',
      hidden: narrow,
      sort: (entry) => entry.peer,
      cell: (entry) => entry.peer,
    },
    {
      id: 'request',
      label: text.request,
      width: '18rem',
      hidden: true,
      cell: (entry) => <span className="font-mono text-xs">{entry.request_id}</span>,
    },
    { id: 'token', label: text.token, width: '6rem', hidden: true, cell: (entry) => entry.token ?? '–' },
  ];
}

export function AuditTable({ entries }: { entries: readonly Entry[] }) {
  const narrow = useNarrow();
  return (
    <DataTable
      name="audit"
      label={text.list}
      rows={entries}
      columns={columnsOf(narrow)}
      rowKey={(entry) => entry.seq}
      rowHeight={30}
    />
  );
}
