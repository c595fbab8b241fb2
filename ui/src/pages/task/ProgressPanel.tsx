import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Schemas, TaskDetail } from '@/api/types';
import { Panel } from '@/components/Card';
import { BlockBar, Progress } from '@/components/Progress';
import { Elapsed, useNow } from '@/components/Time';
import { change, configurationLine, duration, withUnit } from '@/format';
import { leader, type PlotTask } from '@/plots/data/points';
import { usePhases } from '@/plots/usePhases';
import { task as words } from '@/text/task';
import { taskPlots } from '@/text/taskPlots';
import { timesBetter } from './Gain';
import { blockOf, countsOf, type PhaseNow, phasesNow } from './progress';

/** How far a task is that runs: its blocks, what is left of its budget, what is measured now, and the best so far. */
export function ProgressPanel({ task, plot }: { task: TaskDetail; plot: PlotTask }) {
  const navigate = useNavigate();
  const counts = countsOf(task, plot);
  const remaining = Math.max(0, counts.budget - counts.searched - (task.experiments.open ?? 0));
  const open = (number: number) =>
    void navigate({ to: '/tasks/$task/experiments/$number', params: { task: task.id, number: String(number) } });
  return (
    <Panel title={words.progress.title} note={words.progress.experiments(counts.searched, counts.budget)}>
      <BlockBar
        blocks={plot.points.map(blockOf)}
        remaining={counts.verified > 0 ? Math.max(0, counts.planned - counts.verified) : remaining}
        onOpen={open}
      />
      {counts.verified > 0 && (
        <p className="mt-1 text-xs text-muted">{words.progress.verifying(counts.verified, counts.planned)}</p>
      )}
      <div className="mt-4 grid gap-x-8 gap-y-4 md:grid-cols-3">
        <div>
          <h3 className="mb-1 text-xs text-muted">{words.progress.running}</h3>
          <Running task={task} plot={plot} />
        </div>
        <div>
          <h3 className="mb-1 text-xs text-muted">{words.progress.best}</h3>
          <Best task={task} plot={plot} />
        </div>
        <Budget task={task} />
      </div>
    </Panel>
  );
}

function Running({ task, plot }: { task: TaskDetail; plot: PlotTask }) {
  const { events } = usePhases(task.id);
  const phases = useMemo(() => phasesNow(events), [events]);
  if (task.running.length === 0) return <p className="text-muted">{words.progress.nobody}</p>;
  return (
    <ul className="space-y-2">
      {task.running.map((running) => (
        <RunningRow
          key={running.number}
          task={task.id}
          running={running}
          phase={phases.get(running.number)}
          configuration={configurationLine(
            plot.points.find((point) => point.number === running.number)?.configuration ?? {},
          )}
        />
      ))}
    </ul>
  );
}

/** A worker tells of itself every few seconds; after so many without it nobody knows, ms. */
const SILENT_MS = 30_000;

interface RowProps {
  task: string;
  running: Schemas['RunningExperiment'];
  phase: PhaseNow | undefined;
  configuration: string;
}

function RunningRow({ task, running, phase, configuration }: RowProps) {
  const now = useNow();
  const isSilent = now - Date.parse(running.heartbeat_at) > SILENT_MS && now - Date.parse(running.since) > SILENT_MS;
  const word = words.progress.phases[phase?.phase ?? 'unknown'];
  const level = phase?.level === undefined ? '' : ` ${taskPlots.level.toLowerCase()} ${phase.level + 1}`;
  return (
    <li className="min-w-0">
      <Link
        to="/tasks/$task/experiments/$number"
        params={{ task, number: String(running.number) }}
        className="font-medium text-accent hover:underline"
      >
        #{running.number}
      </Link>{' '}
      {word}
      {level}, <Elapsed from={phase?.since ?? running.since} />
      {isSilent && <span className="ml-2 text-warn">{words.progress.silent}</span>}
      <div className="truncate font-mono text-xs text-muted" title={configuration}>
        {configuration || taskPlots.defaults}
      </div>
      <div className="text-xs text-faint">{words.progress.on(running.host, running.pid)}</div>
    </li>
  );
}

function Best({ task, plot }: { task: TaskDetail; plot: PlotTask }) {
  const best = leader(plot.points, plot.objective);
  const baseline = plot.points.find((point) => point.number === plot.baseline)?.objective ?? null;
  if (!best || best.objective === null) {
    const isMeasured = plot.points.some((point) => point.objective !== null);
    return <p className="text-muted">{isMeasured ? words.progress.noBest : words.progress.noneMeasured}</p>;
  }
  const ratio = baseline === null ? null : timesBetter(plot.objective, baseline, best.objective);
  return (
    <div className="min-w-0">
      <p className="text-lg font-semibold">{withUnit(best.objective, plot.objective.unit)}</p>
      {ratio !== null && best.number !== plot.baseline && (
        <p className="text-muted">{words.progress.over(change(ratio - 1))}</p>
      )}
      <Link
        to="/tasks/$task/experiments/$number"
        params={{ task: task.id, number: String(best.number) }}
        className="text-accent hover:underline"
      >
        #{best.number}
      </Link>
      <div className="truncate font-mono text-xs text-muted" title={configurationLine(best.configuration)}>
        {configurationLine(best.configuration) || taskPlots.defaults}
      </div>
    </div>
  );
}

/** What is left of what was given besides experiments. */
function Budget({ task }: { task: TaskDetail }) {
  const now = useNow();
  const { wall_time_s: wall, gpu_seconds: gpu } = task.task.budget;
  const spent = task.started_at ? (now - Date.parse(task.started_at)) / 1000 : 0;
  return (
    <div className="space-y-3">
      {typeof wall === 'number' && (
        <div>
          <h3 className="mb-1 text-xs text-muted">{words.progress.wallTimeLabel}</h3>
          <Progress value={spent / wall} label={words.progress.wallTimeLabel} />
          <p className="mt-1 text-xs">{words.progress.wallTime(duration(spent), duration(wall))}</p>
        </div>
      )}
      {typeof gpu === 'number' && (
        <div>
          <h3 className="mb-1 text-xs text-muted">{words.progress.gpuLabel}</h3>
          <Progress value={task.gpu_seconds / gpu} label={words.progress.gpuLabel} />
          <p className="mt-1 text-xs">{words.progress.gpuSeconds(duration(task.gpu_seconds), duration(gpu))}</p>
        </div>
      )}
    </div>
  );
}
