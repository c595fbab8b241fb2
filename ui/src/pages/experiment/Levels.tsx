import { Check, TriangleAlert } from 'lucide-react';
import { type ReactNode, useMemo, useState } from 'react';
import type { Attempt, Score, TaskSpec } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { cx } from '@/components/cx';
import { Empty } from '@/components/States';
import { count, duration, figure, firstObjective, NONE, number, percent } from '@/format';
import { Pick } from '@/plots/tools';
import { experiment as words } from '@/text/experiment';
import {
  errorRows,
  type FigureRow,
  fateRows,
  figureCell,
  figureRows,
  type LevelColumn,
  levelColumns,
  reportChoices,
  reportWord,
  sloRows,
} from './levelRows';

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
  const measurements = shown?.measurements ?? [];
  const choices = reportChoices(measurements);
  const choice = choices.find((one) => reportWord(one) === report) ?? { kind: 'all' as const };
  const columns = levelColumns(measurements, score, levelName, choice);
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
  const wanted = useMemo(() => {
    const objective = firstObjective(task);
    return [objective, ...(task.slos ?? []).map(({ metric, stat }) => ({ metric, stat: stat ?? ('p99' as const) }))];
  }, [task]);
  const rows = figureRows(columns, wanted);
  const visible = (list: FigureRow[]) => list.filter((row) => full || !row.extra);
  const span = columns.length + 1;
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={words.levels}>
      <table className="w-full border-collapse text-right">
        <thead>
          <tr className="border-b border-line">
            <th scope="col" className="sticky left-0 bg-surface px-3 py-1.5 text-left font-medium text-muted">
              {words.figure}
            </th>
            {columns.map((column) => (
              <th key={column.key} scope="col" className="min-w-36 px-3 py-1.5 font-semibold">
                {column.label}
                {column.decides && (
                  <span className="ml-1.5 rounded-sm bg-accent-soft px-1 text-xs font-medium text-accent">
                    {words.decides}
                  </span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Line label={words.validity}>{columns.map(validity)}</Line>
          {sloRows(columns).map(({ label, cells }) => (
            <Line key={label} label={label}>
              {cells.map((slo) =>
                slo ? (
                  <Slo isMissed={(slo.violation ?? 0) > 0} actual={slo.actual} label={slo.label} />
                ) : (
                  <span className="text-faint">{NONE}</span>
                ),
              )}
            </Line>
          ))}
          <Group label={words.groups.rate} span={span} />
          {visible(rows.rates).map((row) => figureLine(row, columns))}
          <Group label={words.groups.time} span={span} />
          {visible(rows.times).map((row) => figureLine(row, columns))}
          <Group label={words.groups.fate} span={span} />
          {fateRows(columns).map(({ label, bad, cells }) => (
            <Line key={label} label={label}>
              {cells.map((n) => (bad && n > 0 ? <span className="font-medium text-bad">{count(n)}</span> : count(n)))}
            </Line>
          ))}
          {errorRows(columns).map(({ label, cells }) => (
            <Line key={label} label={label}>
              {cells.map((n) => count(n))}
            </Line>
          ))}
          <Group label={words.groups.how} span={span} />
          <Line label={words.window}>{columns.map(({ measurement }) => duration(measurement.window_s))}</Line>
          <Line label={words.took}>{columns.map(({ measurement }) => duration(measurement.elapsed_s))}</Line>
          <Line label={words.steady}>{columns.map(steady)}</Line>
          {visible(rows.sizes).map((row) => figureLine(row, columns))}
        </tbody>
      </table>
    </div>
  );
}

function Group({ label, span }: { label: string; span: number }) {
  return (
    <tr>
      <th
        scope="colgroup"
        colSpan={span}
        className="sticky left-0 bg-surface px-3 pt-3 pb-0.5 text-left text-xs font-medium text-faint"
      >
        {label}
      </th>
    </tr>
  );
}

function Line({ label, children }: { label: string; children: ReactNode[] }) {
  return (
    <tr className="border-b border-line/60 hover:bg-hover">
      <th
        scope="row"
        className="sticky left-0 max-w-56 bg-surface px-3 py-1 text-left font-normal text-muted [overflow-wrap:anywhere]"
      >
        {label}
      </th>
      {children.map((child, index) => (
        <td key={index} className="px-3 py-1 align-top">
          {child}
        </td>
      ))}
    </tr>
  );
}

function figureLine(row: FigureRow, columns: LevelColumn[]) {
  return (
    <Line key={row.key} label={row.label}>
      {columns.map((column) => {
        const { value, low, high, confidence } = figureCell(column, row.metric, row.stat);
        const what = row.stat.startsWith('p') ? words.percentile : words.mean;
        return (
          <span key={column.key}>
            <span className="whitespace-nowrap">{figure(row.metric, value)}</span>
            {low !== undefined && high !== undefined && (
              <span
                title={words.rangeHelp(percent(confidence ?? 0.98), what)}
                className="block whitespace-nowrap text-xs text-faint"
              >
                {words.range(
                  number(row.metric === 'error_rate' ? low * 100 : low),
                  number(row.metric === 'error_rate' ? high * 100 : high),
                )}
              </span>
            )}
          </span>
        );
      })}
    </Line>
  );
}

function validity({ measurement }: LevelColumn) {
  if (measurement.validity.verdict === 'valid') {
    return (
      <span className="inline-flex items-center gap-1 text-ok">
        <Check aria-hidden className="size-3.5" />
        {words.valid}
      </span>
    );
  }
  return (
    <span className="text-bad">
      <span className="inline-flex items-center gap-1 font-medium">
        <TriangleAlert aria-hidden className="size-3.5" />
        {words.invalid}
      </span>
      {measurement.validity.reasons.map((reason) => (
        <span key={reason} className="block text-left text-xs">
          {reason}
        </span>
      ))}
    </span>
  );
}

function Slo({ isMissed, actual, label }: { isMissed: boolean; actual: number | null; label: string }) {
  const Icon = isMissed ? TriangleAlert : Check;
  const unit = label.endsWith(' ms') ? ' ms' : '';
  return (
    <span className={cx('inline-flex items-center gap-1', isMissed ? 'font-medium text-bad' : 'text-ok')}>
      <Icon aria-hidden className="size-3.5" />
      {isMissed ? words.slo.missed : words.slo.met}
      <span className="whitespace-nowrap">{actual === null ? NONE : `${number(actual)}${unit}`}</span>
    </span>
  );
}

function steady({ measurement: { steady: found } }: LevelColumn) {
  if (!found) return NONE;
  if (found.verdict === 'steady') return words.steadyFrom(duration(found.from_s), duration(found.to_s));
  return <span className="text-warn">{words.unsteady[found.reason]}</span>;
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
