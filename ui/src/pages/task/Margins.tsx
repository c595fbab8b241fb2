import { CircleCheck, CircleX } from 'lucide-react';
import type { Verdict } from '@/api/types';
import { figure, percent } from '@/format';
import { figureLabel } from '@/plots/data/objective';
import type { PlotTask } from '@/plots/data/points';
import { task as words } from '@/text/task';
import { type Margin, marginsOf } from './margins';

/** How far from each SLO the best and the baseline are. */
export function Margins({ task, verdict }: { task: PlotTask; verdict: Verdict | null }) {
  if (task.limits.length === 0) return <p className="text-muted">{words.slos.none}</p>;
  const best = marginsOf(task, verdict, 'best');
  const baseline = marginsOf(task, verdict, 'baseline');
  const isSame = task.best === null || task.best === task.baseline;
  return (
    <ul className="space-y-3">
      {task.limits.map((limit, index) => (
        <li key={limit.label}>
          <div className="flex flex-wrap justify-between gap-x-3">
            <span>{figureLabel(limit.metric, limit.stat)}</span>
            <span className="text-muted">
              {limit.bound === 'max' ? '≤' : '≥'} {figure(limit.metric, limit.value)}
            </span>
          </div>
          {!isSame && <Row who={words.verdict.best} margin={best[index]} />}
          <Row who={words.verdict.baseline} margin={baseline[index]} />
        </li>
      ))}
    </ul>
  );
}

/** Place of the limit on the line. */
const LIMIT_AT = 70;

function Row({ who, margin }: { who: string; margin: Margin | undefined }) {
  if (!margin) return null;
  const { limit, worst, violation, runs } = margin;
  if (worst === null || violation === null) {
    return (
      <p className="flex gap-2 text-xs text-faint">
        <span className="w-16 shrink-0">{who}</span>
        {words.slos.notMeasured}
      </p>
    );
  }
  const holds = violation <= 0;
  const Icon = holds ? CircleCheck : CircleX;
  const colour = holds ? 'text-ok' : 'text-bad';
  const share = Math.min(100, Math.max(1, (worst / limit.value) * LIMIT_AT));
  const value = figure(limit.metric, worst);
  const distance = percent(Math.abs(violation));
  const told = holds ? words.slos.margin(distance) : words.slos.beyond(distance);
  return (
    <div className="mt-1 grid grid-cols-[4rem_minmax(4rem,1fr)_auto] items-center gap-2 text-xs">
      <span className="text-muted">{who}</span>
      <span
        role="img"
        aria-label={words.slos.aloud(who, limit.label, value, holds)}
        title={words.slos.worst(runs)}
        className="relative h-2.5 rounded-sm bg-sunken"
      >
        <span
          className={`absolute inset-y-0 left-0 rounded-sm opacity-60 ${holds ? 'bg-ok' : 'bg-bad'}`}
          style={{ width: `${share}%` }}
        />
        <span className="absolute -inset-y-0.5 w-0.5 bg-ink" style={{ left: `${LIMIT_AT}%` }} />
      </span>
      <span className={`flex items-center gap-1 ${colour}`}>
        <Icon aria-hidden className="size-3.5" />
        {value}, {told}
      </span>
    </div>
  );
}
