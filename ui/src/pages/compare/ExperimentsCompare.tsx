import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useMemo } from 'react';
import { experimentQuery } from '@/api/experiments';
import type { ExperimentDetail, TaskDetail } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Panel } from '@/components/Card';
import { SideBySide } from '@/components/SideBySide';
import { ErrorView, Skeleton } from '@/components/States';
import { StatusBadge } from '@/components/StatusBadge';
import { Switch } from '@/components/Toggle';
import { levelName } from '@/format';
import { roleWord } from '@/pages/experiment/Head';
import { type Curve, Percentiles } from '@/plots/percentiles';
import { Pick } from '@/plots/tools';
import { compare as words } from '@/text/compare';
import { experimentDoubts } from './comparable';
import { Doubts } from './Doubts';
import { countedMeasurements, experimentGroups } from './experimentRows';
import { Logs } from './Logs';
import { Pairs } from './Pairs';
import type { Search } from './search';

interface ExperimentsCompareProps {
  task: TaskDetail;
  numbers: readonly number[];
  search: Search;
  onSearch: (change: Partial<Search>) => void;
}

/** Two to six experiments of a task, side by side. */
export function ExperimentsCompare({ task, numbers, search, onSearch }: ExperimentsCompareProps) {
  const details = useQueries({ queries: numbers.map((number) => experimentQuery(task.id, number)) });
  const failed = details.find((one) => one.error && !one.data);
  if (failed) return <ErrorView error={failed.error} onRetry={() => void failed.refetch()} />;
  const shown = details.flatMap((one) => one.data ?? []);
  if (shown.length < numbers.length) return <Skeleton lines={10} />;
  return <Shown task={task} shown={shown} search={search} onSearch={onSearch} />;
}

interface ShownProps extends Omit<ExperimentsCompareProps, 'numbers'> {
  shown: ExperimentDetail[];
}

function Shown({ task, shown, search, onSearch }: ShownProps) {
  const all = search.all ?? false;
  const groups = useMemo(() => experimentGroups(task.task, shown, all), [task.task, shown, all]);
  const numbers = shown.map(({ experiment }) => experiment.number);
  const leaveOut = (number: number) => onSearch({ sel: numbers.filter((one) => one !== number) });
  const columns = shown.map((detail) => ({
    key: detail.experiment.number,
    head: <ColumnHead task={task} detail={detail} onRemove={leaveOut} />,
  }));
  const verdict = task.verdict;
  const hasBothSides = [verdict?.best, verdict?.baseline].every((n) => n !== null && numbers.includes(n ?? 0));
  const hasVerification = shown.some(({ experiment }) => experiment.role.kind === 'verify');
  return (
    <div className="space-y-3">
      <Panel
        title={words.sideBySide}
        actions={
          <Switch
            label={words.differences}
            checked={!all}
            onChange={(only) => onSearch({ all: only ? undefined : true })}
          />
        }
        flush
      >
        <SideBySide label={words.sideBySide} corner={words.property} columns={columns} groups={groups} />
      </Panel>
      <div className="grid gap-3 xl:grid-cols-2">
        <Curves task={task} shown={shown} search={search} onSearch={onSearch} />
        <div className="min-w-0 space-y-3">
          {(hasBothSides || hasVerification) && <Pairs task={task} />}
          <Doubts list={[...experimentDoubts(shown), words.singles]} note={words.withinHelp} />
        </div>
      </div>
      <Logs task={task.id} shown={shown} isOpen={search.logs ?? false} onOpen={(logs) => onSearch({ logs })} />
    </div>
  );
}

interface ColumnHeadProps {
  task: TaskDetail;
  detail: ExperimentDetail;
  onRemove: (number: number) => void;
}

function ColumnHead({ task, detail, onRemove }: ColumnHeadProps) {
  const { number, role, outcome } = detail.experiment;
  return (
    <span className="inline-flex flex-col items-end gap-0.5">
      <span className="inline-flex items-center gap-1">
        <Link
          to="/tasks/$task/experiments/$number"
          params={{ task: task.id, number: String(number) }}
          className="text-accent hover:underline"
        >
          #{number}
        </Link>
        <IconButton
          size="sm"
          label={words.remove(`#${number}`)}
          icon={<X aria-hidden className="size-3.5" />}
          onClick={() => onRemove(number)}
        />
      </span>
      <span className="text-xs font-normal text-muted">{roleWord(role)}</span>
      <StatusBadge state={outcome?.kind ?? 'open'} />
    </span>
  );
}

function Curves({ task, shown, search, onSearch }: ShownProps) {
  const { levels } = task.task.load;
  const measured = levels.flatMap((_, at) =>
    shown.some((detail) => countedMeasurements(detail).some((m) => m.level === at)) ? [at] : [],
  );
  const level = measured.find((at) => String(at) === search.level) ?? measured.at(-1);
  const curves = useMemo(
    (): Curve[] =>
      shown.flatMap((detail) => {
        const found = countedMeasurements(detail).find((m) => m.level === level);
        return found ? [{ name: `#${detail.experiment.number}`, metrics: found.metrics }] : [];
      }),
    [shown, level],
  );
  if (level === undefined) return null;
  return (
    <Percentiles
      title={`${words.curves} · ${levelName(levels[level])}`}
      curves={curves}
      slos={task.task.slos}
      metric={search.metric}
      onMetric={(metric) => onSearch({ metric })}
      fileName={`compare-${curves.map(({ name }) => name.slice(1)).join('-')}-latency`}
      height={340}
      tools={
        measured.length > 1 && (
          <Pick
            label={words.level}
            value={String(level)}
            choices={measured.map((at) => ({ value: String(at), label: levelName(levels[at]) }))}
            onChange={(value) => onSearch({ level: value })}
          />
        )
      }
    />
  );
}
