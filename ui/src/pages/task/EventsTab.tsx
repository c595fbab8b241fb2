import { Link } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, CircleX, Dot, type LucideIcon } from 'lucide-react';
import { useMemo, useState } from 'react';
import { cx } from '@/components/cx';
import { type Column, DataTable } from '@/components/DataTable';
import { INPUT } from '@/components/Field';
import { Empty, ErrorView, Skeleton } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { Switch } from '@/components/Toggle';
import type { ServerEvent } from '@/events';
import { useEventLog } from '@/events/useEventLog';
import { task as words } from '@/text/task';
import { type EventTone, eventTone, eventWords, TECHNICAL, TOLD } from './eventWords';

const LOOKS: Record<EventTone, [LucideIcon, string]> = {
  plain: [Dot, 'text-faint'],
  good: [CircleCheck, 'text-ok'],
  warn: [CircleAlert, 'text-warn'],
  bad: [CircleX, 'text-bad'],
};

interface Told {
  event: ServerEvent;
  text: string;
}

function columnsOf(task: string): Column<Told>[] {
  return [
    {
      id: 'at',
      label: words.events.at,
      width: '12.5rem',
      sort: ({ event }) => event.seq,
      cell: ({ event }) => <RelativeTime at={event.at} exact />,
    },
    {
      id: 'experiment',
      label: words.events.experiment,
      width: '6.5rem',
      sort: ({ event }) => event.experiment,
      cell: ({ event }) =>
        event.experiment === undefined ? (
          <span className="text-faint">–</span>
        ) : (
          <Link
            to="/tasks/$task/experiments/$number"
            params={{ task, number: String(event.experiment) }}
            className="text-accent hover:underline"
          >
            #{event.experiment}
          </Link>
        ),
    },
    {
      id: 'what',
      label: words.events.what,
      width: 'minmax(20rem, 1fr)',
      sort: ({ text }) => text,
      cell: ({ event, text }) => {
        const [Icon, colour] = LOOKS[eventTone(event)];
        return (
          <span className="flex items-center gap-1.5" title={text}>
            <Icon aria-hidden className={cx('size-4 shrink-0', colour)} />
            <span className="truncate">{text}</span>
          </span>
        );
      },
    },
  ];
}

/** Everything that happened to the task, newest first, growing while one looks. */
export function EventsTab({ task }: { task: string }) {
  const [technical, setTechnical] = useState(false);
  const [wanted, setWanted] = useState('');
  const log = useEventLog(task, technical ? TECHNICAL : TOLD);
  const told = useMemo(() => log.events.map((event) => ({ event, text: eventWords(event) })).reverse(), [log.events]);
  const shown = useMemo(() => {
    const word = wanted.trim().toLowerCase();
    if (!word) return told;
    return told.filter(({ event, text }) => `#${event.experiment} ${text}`.toLowerCase().includes(word));
  }, [told, wanted]);
  const columns = useMemo(() => columnsOf(task), [task]);
  if (log.error && log.events.length === 0) return <ErrorView error={log.error} onRetry={log.again} />;
  if (!log.isPresent && log.events.length === 0) return <Skeleton lines={8} />;
  return (
    <div className="rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-2 py-1.5">
        <input
          type="search"
          aria-label={words.events.search}
          placeholder={words.events.search}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          className={cx(INPUT, 'h-7 w-52 flex-initial')}
        />
        <Switch label={words.events.technical} checked={technical} onChange={setTechnical} />
        <span role="status" className="ml-auto text-xs text-faint">
          {log.isPresent ? words.events.count(shown.length, told.length) : words.events.reading}
        </span>
      </div>
      <DataTable
        label={words.events.label}
        rows={shown}
        columns={columns}
        rowKey={({ event }) => event.seq}
        rowHeight={28}
        empty={<Empty title={words.events.empty} text={words.events.emptyHint} />}
      />
    </div>
  );
}
