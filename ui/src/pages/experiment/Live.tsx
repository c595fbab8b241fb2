import { useMemo } from 'react';
import type { Attempt } from '@/api/types';
import { Panel } from '@/components/Card';
import { StatusBadge } from '@/components/StatusBadge';
import { Elapsed } from '@/components/Time';
import type { CourseEvent } from '@/events/course';
import { figure } from '@/format';
import { LiveSeries } from '@/plots/LiveSeries';
import { experiment as words } from '@/text/experiment';
import { liveState } from './liveState';

interface LiveProps {
  attempts: readonly Attempt[];
  events: readonly CourseEvent[];
  levelName: (level: number) => string;
}

/** What an experiment does at this moment, and what its levels have given so far. */
export function Live({ attempts, events, levelName }: LiveProps) {
  const attempt = attempts.at(-1);
  const now = useMemo(() => liveState(events, attempt), [events, attempt]);
  const phase = now.phase;
  const name =
    phase &&
    (phase.level === undefined ? words.spans[phase.phase] : `${words.spans[phase.phase]} ${levelName(phase.level)}`);
  return (
    <Panel title={words.live} note={words.liveHint} actions={<StatusBadge state="running" />}>
      <p role="status" className="flex items-center gap-2">
        <span className="font-medium">{name ?? words.queued}</span>
        {phase && <Elapsed from={phase.at} />}
      </p>
      {now.levels.length > 0 && (
        <ul className="mt-2 flex flex-wrap gap-x-6 gap-y-1">
          {now.levels.map((level) => (
            <li key={`${level.level}/${level.repeat}`} className="flex items-baseline gap-2">
              <span className="text-muted">{levelName(level.level)}</span>
              <span className="font-medium">{figure('output_throughput', level.output_throughput)}</span>
              <span className="text-xs text-faint">TTFT p99 {figure('ttft', level.ttft_p99_ms)}</span>
              {!level.valid && <span className="text-xs font-medium text-bad">{words.invalid}</span>}
            </li>
          ))}
        </ul>
      )}
      {now.at.length > 1 && (
        <div className="mt-2">
          <LiveSeries
            label={words.liveThroughput}
            at={now.at}
            lines={[{ label: words.liveThroughput, values: now.throughput }]}
            unit="tok/s"
            relative
            height={140}
          />
        </div>
      )}
    </Panel>
  );
}
