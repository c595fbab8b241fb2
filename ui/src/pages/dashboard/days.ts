/** How experiments of the last days ended, by the day on which their task began. */
import type { OutcomeWord, TaskItem } from '@/api/types';
import type { PlotTable } from '@/plots/table';
import { states } from '@/text/common';
import { dashboard as text } from '@/text/dashboard';

export const OUTCOMES: readonly OutcomeWord[] = ['success', 'open', 'pruned', 'infeasible', 'failed', 'cancelled'];

export interface DayCounts {
  /** Begin of the day in the browser's zone. */
  day: number;
  tasks: number;
  total: number;
  counts: Partial<Record<OutcomeWord, number>>;
}

/** The last days, today first; days without a task are there too. */
export function daysOf(tasks: readonly TaskItem[], now: number, days: number): DayCounts[] {
  const begin = new Date(now);
  begin.setHours(0, 0, 0, 0);
  const found: DayCounts[] = [];
  for (let n = 0; n < days; n++) {
    found.push({ day: begin.getTime(), tasks: 0, total: 0, counts: {} });
    begin.setDate(begin.getDate() - 1);
  }
  for (const task of tasks) {
    if (!task.started_at) continue;
    const at = Date.parse(task.started_at);
    const day = found.find((one) => at >= one.day);
    if (!day) continue;
    day.tasks += 1;
    for (const state of OUTCOMES) {
      const n = task.experiments[state] ?? 0;
      if (n === 0) continue;
      day.counts[state] = (day.counts[state] ?? 0) + n;
      day.total += n;
    }
  }
  return found;
}

export function daysTable(days: readonly DayCounts[], dayWords: (day: number) => string): PlotTable {
  return {
    columns: [...text.days.columns, ...OUTCOMES.map((state) => states[state])],
    rows: days.map(({ day, tasks, counts }) => [dayWords(day), tasks, ...OUTCOMES.map((state) => counts[state] ?? 0)]),
  };
}
