import { type ReactNode, useMemo, useState } from 'react';
import type { Attempt, Measurement, Metric, Score, Stat, TaskSpec } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { SideBySide, type SideGroup, type SideRow } from '@/components/SideBySide';
import { Empty } from '@/components/States';
import { count, duration, firstObjective } from '@/format';
import { Pick } from '@/plots/tools';
import { experiment as words } from '@/text/experiment';
import { Figure, SloCell, SteadyCell, ValidityCell } from './cells';
import {
  errorRows,
  type FigureRow,
  fateRows,
  figureCell,
  figureRows,
  type LevelColumn,
  levelColumns,
  type ReportChoice,
  reportChoices,
  reportWord,
  sloRows,
} from './levelRows';

const NONE_MEASURED: readonly Measurement[] = [];
const ALL: ReportChoice = { kind: 'all' };

interface LevelsProps {
  task: TaskSpec;
  attempts: readonly Attempt[];
  /** Number of the attempt whose measurements are shown. */
  attempt: number | undefined;
  onAttempt: (attempt: number) => void;
  score: Score | null;
  levelName: (level: number) => string;
  isOpen: boolean;
}

/** What was measured, a column for each level. */
export function Levels({ task, attempts, attempt, onAttempt, score, levelName, isOpen }: LevelsProps) {
  const [full, setFull] = useState(false);
  const [report, setReport] = useState('all');
  const shown = attempts.find((one) => one.number === attempt);
  const measurements = shown?.measurements ?? NONE_MEASURED;
  const choices = useMemo(() => reportChoices(measurements), [measurements]);
  const choice = choices.find((one) => reportWord(one) === report) ?? ALL;
  const columns = useMemo(
    () => levelColumns(measurements, score, levelName, choice),
    [measurements, score, levelName, choice],
  );
  const measured = attempts.filter((one) => one.measurements.length > 0);
  const tools = (
    <>
      {measured.length > 1 && (
        <Pick
          label={words.chooseAttempt}
          value={String(attempt)}
          choices={measured.map((one) => ({ value: String(one.number), label: words.attempt(one.number) }))}
          onChange={(value) => onAttempt(Number(value))}
        />
      )}
      {choices.length > 1 && (
        <Pick
          label={words.chooseReport}
          value={reportWord(choice)}
          choices={choices.map((one) => ({
            value: reportWord(one),
            label:
              one.kind === 'all'
                ? words.allRequests
                : one.kind === 'class'
                  ? words.classOf(one.name)
                  : words.turnOf(one.name),
          }))}
          onChange={setReport}
        />
      )}
      {columns.length > 0 && (
        <Button size="sm" tone="quiet" aria-pressed={full} onClick={() => setFull(!full)}>
          {full ? words.fewerFigures : words.moreFigures}
        </Button>
      )}
    </>
  );
  return (
    <Panel title={words.levels} actions={tools} flush>
      {columns.length === 0 ? (
        <Empty title={isOpen ? words.noLevelsYet : words.noLevels} />
      ) : (
        <Table task={task} columns={columns} full={full} />
      )}
      <Notes columns={columns} />
    </Panel>
  );
}

function Table({ task, columns, full }: { task: TaskSpec; columns: LevelColumn[]; full: boolean }) {
  const groups = useMemo((): SideGroup[] => {
    const slos = (task.slos ?? []).map(({ metric, stat }) => ({ metric, stat: stat ?? ('p99' as const) }));
    const rows = figureRows(columns, [firstObjective(task), ...slos]);
    const figures = (list: FigureRow[]): SideRow[] =>
      list
        .filter((row) => full || !row.extra)
        .map(({ key, label, metric, stat }) => ({
          key,
          label,
          cell: (at) => <Figure metric={metric} cell={cellOf(columns[at], metric, stat)} isMean={stat === 'mean'} />,
        }));
    const of = (key: string, cell: (column: LevelColumn) => ReactNode): SideRow => ({
      key,
      label: key,
      cell: (at) => (columns[at] ? cell(columns[at]) : null),
    });
    return [
      {
        rows: [
          of(words.validity, ({ measurement }) => <ValidityCell measurement={measurement} />),
          ...sloRows(columns).map(({ label, cells }) => ({
            key: label,
            label,
            cell: (at: number) => <SloCell slo={cells[at]} />,
          })),
        ],
      },
      { label: words.groups.rate, rows: figures(rows.rates) },
      { label: words.groups.time, rows: figures(rows.times) },
      {
        label: words.groups.fate,
        rows: [...fateRows(columns), ...errorRows(columns)].map(({ label, bad, cells }) => ({
          key: label,
          label,
          cell: (at) => <Fate n={cells[at] ?? 0} isBad={bad} />,
        })),
      },
      {
        label: words.groups.how,
        rows: [
          of(words.window, ({ measurement }) => duration(measurement.window_s)),
          of(words.took, ({ measurement }) => duration(measurement.elapsed_s)),
          of(words.steady, ({ measurement }) => <SteadyCell steady={measurement.steady} />),
          ...figures(rows.sizes),
        ],
      },
    ];
  }, [task, columns, full]);
  const heads = columns.map((column) => ({
    key: column.key,
    head: (
      <>
        {column.label}
        {column.decides && (
          <span className="ml-1.5 rounded-sm bg-accent-soft px-1 text-xs font-medium text-accent">{words.decides}</span>
        )}
      </>
    ),
  }));
  return <SideBySide label={words.levels} corner={words.figure} columns={heads} groups={groups} />;
}

const cellOf = (column: LevelColumn | undefined, metric: Metric, stat: Stat) =>
  column ? figureCell(column, metric, stat) : { value: undefined };

function Fate({ n, isBad }: { n: number; isBad: boolean }) {
  return <span className={isBad && n > 0 ? 'font-medium text-bad' : ''}>{count(n)}</span>;
}

function Notes({ columns }: { columns: LevelColumn[] }) {
  const noted = columns.flatMap(({ key, label, measurement: { notes, stopped } }) => {
    const early = stopped ? [`${words.stopped} ${words.stoppedAfter(duration(stopped.after_s), stopped.reason)}`] : [];
    return [...early, ...(notes ?? [])].map((text) => ({ key: `${key} ${text}`, label, text }));
  });
  if (noted.length === 0) return null;
  return (
    <div className="border-t border-line px-3 py-2">
      <h3 className="text-xs font-medium text-faint">{words.notes}</h3>
      <ul className="mt-1 space-y-0.5 text-xs text-muted">
        {noted.map(({ key, label, text }) => (
          <li key={key} className="flex gap-2">
            <span className="shrink-0 font-medium">{label}</span>
            <span className="min-w-0 [overflow-wrap:anywhere]">{text}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
