import { Link, useNavigate } from '@tanstack/react-router';
import { Table2 } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { OutcomeWord, TaskItem } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Panel } from '@/components/Card';
import { cx } from '@/components/cx';
import { BLOCK_FILLS } from '@/components/Progress';
import { Segmented } from '@/components/Segmented';
import { Empty } from '@/components/States';
import { useNow } from '@/components/Time';
import { duration, timeOfDay } from '@/format';
import { StateLegend } from '@/plots/StateLegend';
import { TableTwin } from '@/plots/TableTwin';
import { states } from '@/text/common';
import { dashboard as text } from '@/text/dashboard';
import { plots } from '@/text/plots';
import {
  type Bar,
  barsOf,
  type DayExperiment,
  dayTable,
  mainState,
  type Span,
  statesInWords,
  tasksWithin,
  ticks,
} from './day';
import { NEWEST, useNewestExperiments } from './useDay';

const HOURS = ['1', '6', '24'] as const;
type Hours = (typeof HOURS)[number];
/** Tasks with a line of their own. */
const MOST = 12;
/** The line of time moves on this often, ms. */
const STEP = 10_000;
/** Experiments within this share of the width are put together. */
const SLOT = 1 / 300;
const LANE = 12;
const ORDER: OutcomeWord[] = ['success', 'open', 'pruned', 'infeasible', 'failed', 'cancelled'];

/** When experiments of the last hours ran, a line for each task. */
export function Day({ tasks }: { tasks: readonly TaskItem[] }) {
  const [hours, setHours] = useState<Hours>('24');
  const [asTable, setAsTable] = useState(false);
  const step = Math.floor(useNow() / STEP);
  const span = useMemo<Span>(() => {
    const to = (step + 1) * STEP;
    return { from: to - Number(hours) * 3_600_000, to };
  }, [step, hours]);
  const within = useMemo(() => tasksWithin(tasks, span, MOST + 1), [tasks, span]);
  const shown = within.slice(0, MOST);
  const found = useNewestExperiments(shown);
  const rows = shown.map((task, index) => ({ task, experiments: found[index]?.data ?? [] }));
  const inTime = (one: DayExperiment) =>
    Date.parse(one.created_at) <= span.to && (one.ended_at ? Date.parse(one.ended_at) : span.to) >= span.from;
  const count = rows.reduce((sum, row) => sum + row.experiments.filter(inTime).length, 0);
  const isCut = rows.some((row) => row.experiments.length >= NEWEST);
  const seen = ORDER.filter((state) => rows.some((row) => row.experiments.some((one) => one.outcome === state)));
  return (
    <Panel
      title={text.day.title}
      note={shown.length > 0 ? text.day.description(count, shown.length) : undefined}
      actions={
        <>
          <Segmented
            label={text.day.span}
            value={hours}
            options={HOURS.map((value) => ({ value, label: text.day.spans[value] }))}
            onChange={setHours}
          />
          <IconButton
            size="sm"
            aria-pressed={asTable}
            label={asTable ? plots.chart : plots.table}
            icon={<Table2 aria-hidden className="size-4" />}
            onClick={() => setAsTable(!asTable)}
          />
        </>
      }
      flush
    >
      {shown.length === 0 ? (
        <Empty title={text.day.none} text={text.day.noneText} />
      ) : asTable ? (
        <TableTwin label={text.day.title} table={dayTable(rows)} />
      ) : (
        <div className="space-y-2 p-3">
          <Axis hours={Number(hours)} />
          <ul className="space-y-1">
            {rows.map(({ task, experiments }) => (
              <Row key={task.id} task={task} experiments={experiments} span={span} />
            ))}
          </ul>
          <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
            <StateLegend shown={seen} />
            <span className="text-xs text-faint">
              {[within.length > MOST && text.day.tasks(MOST), isCut && text.day.experiments(NEWEST)]
                .filter(Boolean)
                .join('; ')}
            </span>
          </div>
        </div>
      )}
    </Panel>
  );
}

const TRACK = 'sm:grid sm:grid-cols-[10rem_minmax(0,1fr)] sm:gap-3';

function Axis({ hours }: { hours: number }) {
  return (
    <div aria-hidden className={cx('text-xs text-faint', TRACK)}>
      <span className="hidden sm:block" />
      <div className="relative h-4">
        {ticks(hours).map(({ share, label }, index) => (
          <span
            key={label}
            className={cx('absolute whitespace-nowrap', index % 2 === 1 && 'hidden md:inline')}
            style={{ left: `${share * 100}%` }}
          >
            {label}
          </span>
        ))}
        <span className="absolute right-0">{text.day.now}</span>
      </div>
    </div>
  );
}

function Row({ task, experiments, span }: { task: TaskItem; experiments: readonly DayExperiment[]; span: Span }) {
  const length = span.to - span.from;
  const bars = useMemo(() => barsOf(experiments, span, length * SLOT), [experiments, span, length]);
  const lanes = bars.reduce((most, bar) => Math.max(most, bar.lane + 1), 1);
  return (
    <li className={cx('items-center', TRACK)}>
      <Link
        to="/tasks/$task"
        params={{ task: task.id }}
        title={task.name}
        className="block truncate text-accent hover:underline"
      >
        {task.name}
      </Link>
      <div className="relative overflow-hidden rounded-sm bg-sunken" style={{ height: lanes * LANE + 4 }}>
        {bars.map((bar) => (
          <BarLink key={bar.numbers[0]} task={task} bar={bar} span={span} />
        ))}
      </div>
    </li>
  );
}

/** A bar that opens its experiment, or its task where it is several. The keyboard has the task's name and the table. */
function BarLink({ task, bar, span }: { task: TaskItem; bar: Bar; span: Span }) {
  const navigate = useNavigate();
  const length = span.to - span.from;
  const [number] = bar.numbers;
  const time = `${timeOfDay(bar.from)}, ${duration((bar.to - bar.from) / 1000)}`;
  const single = bar.numbers.length === 1 && number !== undefined;
  const state = mainState(bar);
  const title = single
    ? text.day.bar(number, states[state], time)
    : `${text.day.bars(bar.numbers.length, statesInWords(bar.states))}, ${time}`;
  const open = () =>
    single
      ? navigate({ to: '/tasks/$task/experiments/$number', params: { task: task.id, number: String(number) } })
      : navigate({ to: '/tasks/$task', params: { task: task.id } });
  return (
    <span
      aria-hidden
      title={title}
      onClick={() => void open()}
      className={cx('absolute min-w-1 cursor-pointer rounded-[1px] hover:opacity-70', BLOCK_FILLS[state])}
      style={{
        left: `min(calc(100% - 4px), ${((bar.from - span.from) / length) * 100}%)`,
        width: `calc(${((bar.to - bar.from) / length) * 100}% - 1px)`,
        top: bar.lane * LANE + 3,
        height: LANE - 2,
      }}
    />
  );
}
