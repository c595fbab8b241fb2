import type { Attempt } from '@/api/types';
import { Panel } from '@/components/Card';
import { cx } from '@/components/cx';
import { StatusBadge } from '@/components/StatusBadge';
import { RelativeTime, useNow } from '@/components/Time';
import type { CourseEvent } from '@/events/course';
import { duration } from '@/format';
import { experiment as words } from '@/text/experiment';
import { type AttemptSpans, attemptSpans, type Span, type SpanKind, ticks } from './spans';

/** Each kind differs by fill as well as by colour. */
const FILLS: Record<SpanKind, string> = {
  provision: 'bg-[var(--s7)] hatched',
  loading: 'bg-[var(--s5)] hatched',
  boot: 'bg-[var(--s5)] hatched',
  ready: 'bg-[var(--state-waiting)]',
  warm_up: 'bg-[var(--s2)] dotted',
  level: 'bg-[var(--s1)]',
  stopping: 'border border-[var(--state-cancelled)] bg-sunken',
  rest: 'border border-dashed border-[var(--state-cancelled)]',
};

interface TimelineProps {
  attempts: readonly Attempt[];
  events: readonly CourseEvent[];
  levelName: (level: number) => string;
}

function nameOf(span: Span, levelName: TimelineProps['levelName']): string {
  if (span.level === undefined) return words.spans[span.kind];
  const level = levelName(span.level);
  const repeat = span.repeat ? `, ${words.repeat(span.repeat + 1)}` : '';
  return span.kind === 'warm_up' ? `${words.spans.warm_up} ${level}${repeat}` : `${level}${repeat}`;
}

function told(span: Span, name: string): string {
  const open = span.open ? ` ${words.soFar}` : '';
  const measured = span.measured === undefined ? '' : ` (${words.measuredFor(duration(span.measured))})`;
  return `${name} ${duration(span.to - span.from)}${open}${measured}`;
}

/** When each attempt booted, was under load and ended, on one scale. */
export function Timeline(props: TimelineProps) {
  const isOpen = props.attempts.some((attempt) => attempt.ended_at === undefined);
  return isOpen ? <Running {...props} /> : <Drawn {...props} now={0} />;
}

function Running(props: TimelineProps) {
  return <Drawn {...props} now={useNow()} />;
}

function Drawn({ attempts, events, levelName, now }: TimelineProps & { now: number }) {
  const rows = attemptSpans(attempts, events, now);
  const longest = Math.max(0, ...rows.map((row) => row.took));
  return (
    <Panel title={words.timeline} note={rows.length > 1 ? words.attempts(rows.length) : undefined}>
      {rows.length === 0 && <p className="text-muted">{words.noAttempts}</p>}
      <div className="space-y-3">
        {rows.map((row) => (
          <Row key={row.attempt} row={row} longest={longest} levelName={levelName} isOnly={rows.length === 1} />
        ))}
      </div>
      {longest > 0 && <Axis length={longest} />}
    </Panel>
  );
}

interface RowProps {
  row: AttemptSpans;
  longest: number;
  levelName: TimelineProps['levelName'];
  isOnly: boolean;
}

function Row({ row, longest, levelName, isOnly }: RowProps) {
  const at = (seconds: number) => `${(seconds / (longest || 1)) * 100}%`;
  const parts = row.spans.map((span) => ({ span, name: nameOf(span, levelName) }));
  const label = words.timelineLabel(row.attempt, parts.map(({ span, name }) => told(span, name)).join(', '));
  return (
    <div>
      <div className="mb-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
        {!isOnly && <span className="font-medium text-ink">{words.attempt(row.attempt)}</span>}
        <StatusBadge state={row.state} />
        <span>{duration(row.took)}</span>
        <RelativeTime at={row.startedAt} exact />
        {row.source === 'evidence' && <span className="text-faint">{words.fromEvidence}</span>}
      </div>
      <div role="img" aria-label={label} className="relative h-6 rounded-sm bg-sunken">
        {parts.map(({ span, name }) => (
          <div
            key={`${span.kind} ${span.from}`}
            title={`${told(span, name)} · ${words.spanHelp[span.kind]}`}
            className={cx(
              'absolute inset-y-0 flex min-w-px items-center overflow-hidden rounded-[2px] border-r border-surface',
              FILLS[span.kind],
              span.open && 'animate-pulse',
            )}
            style={{ left: at(span.from), width: at(span.to - span.from) }}
          >
            {span.kind === 'level' && (span.to - span.from) / (longest || 1) > 0.07 && (
              <span aria-hidden className="truncate px-1.5 text-xs font-medium text-surface">
                {name}
              </span>
            )}
          </div>
        ))}
      </div>
      <ul aria-hidden className="mt-1 flex flex-wrap gap-x-3 gap-y-0.5 text-xs text-muted">
        {parts.map(({ span, name }) => (
          <li key={`${span.kind} ${span.from}`} className="flex items-center gap-1.5">
            <span className={cx('inline-block size-2.5 rounded-[2px]', FILLS[span.kind])} />
            {told(span, name)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Axis({ length }: { length: number }) {
  return (
    <div aria-hidden className="relative mt-2 h-4 border-t border-line text-xs text-faint">
      {ticks(length).map((tick) => (
        <span
          key={tick}
          className="absolute top-0.5 -translate-x-1/2 whitespace-nowrap first:translate-x-0"
          style={{ left: `${(tick / length) * 100}%` }}
        >
          {tick === 0 ? '0' : duration(tick)}
        </span>
      ))}
    </div>
  );
}
