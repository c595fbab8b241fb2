/** Experiments of late as bars on a line of time. */
import type { ExperimentItem, OutcomeWord, TaskItem } from '@/api/types';
import type { PlotTable } from '@/plots/table';
import { states } from '@/text/common';
import { dashboard as text } from '@/text/dashboard';

export type DayExperiment = Pick<ExperimentItem, 'number' | 'outcome' | 'created_at' | 'ended_at'>;

export interface Span {
  from: number;
  to: number;
}

export interface Bar extends Span {
  /** Experiments in it: several where they are too short to be told apart. */
  numbers: number[];
  states: Partial<Record<OutcomeWord, number>>;
  lane: number;
}

const LANES = 4;

/** Tasks that ran in this time, the newest first. */
export function tasksWithin(tasks: readonly TaskItem[], span: Span, most: number): TaskItem[] {
  return tasks
    .filter((task) => {
      if (!task.started_at) return false;
      const end = task.ended_at ? Date.parse(task.ended_at) : span.to;
      return end >= span.from && Date.parse(task.started_at) <= span.to;
    })
    .sort((a, b) => Date.parse(b.started_at ?? '') - Date.parse(a.started_at ?? ''))
    .slice(0, most);
}

/** Bars in lanes: what runs at once lies below each other, and what is shorter than `slot` is put together. */
export function barsOf(experiments: readonly DayExperiment[], span: Span, slot: number): Bar[] {
  const bars: Bar[] = [];
  const inTime = experiments
    .map((one) => ({
      number: one.number,
      outcome: one.outcome,
      from: Date.parse(one.created_at),
      to: one.ended_at ? Date.parse(one.ended_at) : span.to,
    }))
    .filter(({ from, to }) => to >= span.from && from <= span.to)
    .sort((a, b) => a.from - b.from || a.number - b.number);
  const ends: number[] = [];
  let group: Bar | null = null;
  for (const one of inTime) {
    const from = Math.max(span.from, one.from);
    const to = Math.min(span.to, Math.max(one.from, one.to));
    const isShort = to - from < slot;
    if (group && isShort && from - group.from < slot) {
      group.numbers.push(one.number);
      group.states[one.outcome] = (group.states[one.outcome] ?? 0) + 1;
      group.to = Math.max(group.to, to);
      ends[group.lane] = Math.max(ends[group.lane] ?? 0, group.from + slot, group.to);
      continue;
    }
    const lane = laneFor(ends, from);
    const bar: Bar = { from, to, numbers: [one.number], states: { [one.outcome]: 1 }, lane };
    ends[lane] = Math.max(from + slot, to);
    bars.push(bar);
    group = isShort ? bar : null;
  }
  return bars;
}

function laneFor(ends: number[], from: number): number {
  const free = ends.findIndex((end) => end <= from);
  if (free >= 0) return free;
  if (ends.length < LANES) return ends.length;
  return ends.indexOf(Math.min(...ends));
}

/** The state that most of a bar's experiments have. */
export function mainState(bar: Bar): OutcomeWord {
  const [first] = Object.entries(bar.states).sort(([, a], [, b]) => b - a) as [OutcomeWord, number][];
  return first?.[0] ?? 'open';
}

export function statesInWords(counts: Bar['states']): string {
  return Object.entries(counts)
    .map(([state, n]) => `${n} ${states[state as OutcomeWord]}`)
    .join(', ');
}

/** Whole steps before now, for the axis. */
export function ticks(hours: number): { share: number; label: string }[] {
  const parts = hours === 1 ? 4 : 6;
  return Array.from({ length: parts }, (_, index) => {
    const ago = hours - (hours / parts) * index;
    const label = hours === 1 ? text.day.minutes(ago * 60) : text.day.hours(ago);
    return { share: index / parts, label };
  });
}

export function dayTable(rows: readonly { task: TaskItem; experiments: readonly DayExperiment[] }[]): PlotTable {
  return {
    columns: text.day.columns,
    rows: rows.flatMap(({ task, experiments }) =>
      experiments.map((one) => [
        task.name,
        one.number,
        states[one.outcome],
        one.created_at,
        one.ended_at ? (Date.parse(one.ended_at) - Date.parse(one.created_at)) / 1000 : null,
      ]),
    ),
  };
}
