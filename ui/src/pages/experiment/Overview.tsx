import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { experimentQuery } from '@/api/experiments';
import type { Attempt, ExperimentDetail, TaskDetail } from '@/api/types';
import type { CourseEvent } from '@/events/course';
import { type Curve, Percentiles } from '@/plots/percentiles';
import { experiment as words } from '@/text/experiment';
import { ConfigurationPanel } from './Configuration';
import { Diagnosis } from './Diagnosis';
import { Levels } from './Levels';
import { Live } from './Live';
import { levelColumns } from './levelRows';
import { Result } from './Result';
import type { Search } from './search';
import { Timeline } from './Timeline';

interface OverviewProps {
  task: TaskDetail;
  detail: ExperimentDetail;
  /** Number of the baseline. */
  baseline: number | undefined;
  /** The attempt whose measurements are shown. */
  attempt: Attempt | undefined;
  events: readonly CourseEvent[];
  levelName: (level: number) => string;
  search: Search;
  onSearch: (change: Partial<Search>) => void;
}

/** The experiment in short: outcome, configuration, phases, measurements, latencies. */
export function Overview(props: OverviewProps) {
  const { task, detail, baseline, attempt, events, levelName, search, onSearch } = props;
  const { experiment, score } = detail;
  const isBaseline = experiment.number === baseline;
  const reference = useQuery({
    ...experimentQuery(task.id, baseline ?? 1),
    enabled: baseline !== undefined && !isBaseline,
  }).data;
  const isOpen = experiment.outcome === undefined;
  const curves = useMemo(
    (): Curve[] =>
      levelColumns(attempt?.measurements ?? [], score, levelName).map(({ label, measurement }) => ({
        name: label,
        metrics: measurement.metrics,
      })),
    [attempt, score, levelName],
  );
  return (
    <div className="grid gap-3 xl:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
      <div className="min-w-0 space-y-3">
        {isOpen && <Live attempts={experiment.attempts} events={events} levelName={levelName} />}
        <Diagnosis task={task.id} experiment={experiment} />
        {!isOpen && (score?.objectives.length ?? 0) > 0 && (
          <Result
            task={task.task}
            experiment={experiment}
            score={score}
            baseline={isBaseline ? undefined : reference?.score?.objectives[0]}
            levelName={levelName}
          />
        )}
        <Timeline attempts={experiment.attempts} events={events} levelName={levelName} />
        <Levels
          task={task.task}
          attempts={experiment.attempts}
          attempt={attempt?.number}
          onAttempt={(wanted) => onSearch({ attempt: wanted })}
          score={score}
          levelName={levelName}
          isOpen={isOpen}
        />
      </div>
      <div className="min-w-0 space-y-3">
        <ConfigurationPanel
          here={experiment.configuration}
          baseline={isBaseline ? undefined : (reference?.experiment.configuration ?? task.task.baseline ?? {})}
        />
        {curves.length > 0 && (
          <Percentiles
            title={words.curves}
            curves={curves}
            slos={task.task.slos}
            metric={search.metric}
            onMetric={(metric) => onSearch({ metric })}
            fileName={`experiment-${experiment.number}-latency`}
            height={320}
          />
        )}
      </div>
    </div>
  );
}
