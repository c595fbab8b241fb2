import { Table2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { TaskItem } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Panel } from '@/components/Card';
import { ShareBar } from '@/components/Progress';
import { useNow } from '@/components/Time';
import { StateLegend } from '@/plots/StateLegend';
import { TableTwin } from '@/plots/TableTwin';
import { dashboard as text } from '@/text/dashboard';
import { statesInWords } from './day';
import { daysOf, daysTable, OUTCOMES } from './days';

const DAYS = 7;
const MINUTE = 60_000;
const dayFormat = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const dayWords = (day: number) => dayFormat.format(day);

/** How the experiments of the last days ended. */
export function Days({ tasks }: { tasks: readonly TaskItem[] }) {
  const [asTable, setAsTable] = useState(false);
  const minute = Math.floor(useNow() / MINUTE);
  const days = useMemo(() => daysOf(tasks, minute * MINUTE, DAYS), [tasks, minute]);
  const most = Math.max(1, ...days.map((day) => day.total));
  const seen = OUTCOMES.filter((state) => days.some((day) => day.counts[state]));
  const none = days.every((day) => day.tasks === 0);
  return (
    <Panel
      title={text.days.title}
      note={text.days.note}
      actions={
        <IconButton
          size="sm"
          aria-pressed={asTable}
          label={asTable ? text.days.asBars : text.days.asTable}
          icon={<Table2 aria-hidden className="size-4" />}
          onClick={() => setAsTable(!asTable)}
        />
      }
      flush
    >
      {asTable ? (
        <TableTwin label={text.days.title} table={daysTable(days, dayWords)} />
      ) : none ? (
        <p className="p-3 text-muted">{text.days.none}</p>
      ) : (
        <div className="space-y-2 p-3">
          <ul className="space-y-1">
            {days.map((day, index) => (
              <li key={day.day} className="grid grid-cols-[5.5rem_minmax(0,1fr)_6.5rem] items-center gap-3">
                <span className={index === 0 ? 'font-medium' : 'text-muted'}>
                  {index === 0 ? text.days.today : dayWords(day.day)}
                </span>
                <div className="h-3 min-w-0">
                  {day.total > 0 && (
                    <div style={{ width: `max(1rem, ${(day.total / most) * 100}%)` }}>
                      <ShareBar counts={day.counts} label={statesInWords(day.counts)} />
                    </div>
                  )}
                </div>
                <span className="text-right text-xs text-muted">
                  {day.total > 0 ? text.days.total(day.total) : <span className="text-faint">–</span>}
                </span>
              </li>
            ))}
          </ul>
          <StateLegend shown={seen} />
        </div>
      )}
    </Panel>
  );
}
