import { configurationLine, duration, number, withUnit } from '@/format';
import { taskPlots as words } from '@/text/taskPlots';
import type { PlotTask, Point } from './data/points';
import { stateWord } from './marks';

/** Contents of tooltips. Names and values come from people's files, so everything is escaped. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

export function tip(
  title: string,
  rows: readonly (readonly [name: string, value: string] | null)[],
  note = '',
): string {
  const lines = rows
    .filter((row) => row !== null)
    .map(
      ([name, value]) =>
        `<div style="display:flex;gap:12px;justify-content:space-between"><span style="opacity:.75">${escapeHtml(name)}</span><span>${escapeHtml(value)}</span></div>`,
    );
  const end =
    note && `<div style="opacity:.75;max-width:320px;white-space:normal;margin-top:4px">${escapeHtml(note)}</div>`;
  return `<b>${escapeHtml(title)}</b>${lines.join('')}${end}`;
}

/** What is said of an experiment under the pointer; `rows` are the figures that the plot is about. */
export function pointTip(task: PlotTask, point: Point, rows: readonly (readonly [string, string])[] = []): string {
  const roles = { baseline: words.baseline, search: '', verify: words.verifies(point.arm ?? 'best') };
  const role = point.number === task.best ? words.best : roles[point.role];
  const title = role ? `${words.experiment(point.number)} · ${role}` : words.experiment(point.number);
  const line = configurationLine(point.configuration) || words.defaults;
  return tip(
    title,
    [
      [words.outcome, stateWord(point.state)],
      point.objective === null ? null : [task.objective.label, withUnit(point.objective, task.objective.unit)],
      ...rows,
      point.missed.length ? [words.misses, point.missed.join(', ')] : null,
      point.failure ? [words.failure, point.failure.class] : null,
      point.elapsedS === null ? null : [words.elapsed, duration(point.elapsedS)],
    ],
    line.length > 240 ? `${line.slice(0, 240)}…` : line,
  );
}

/** A tooltip for marks that carry the number of an experiment as name. */
export function pointTooltip(
  task: PlotTask,
  rows: (point: Point) => readonly (readonly [string, string])[] = () => [],
): Record<string, unknown> {
  const byNumber = new Map(task.points.map((point) => [String(point.number), point]));
  return {
    trigger: 'item',
    formatter: (params: { name?: string }) => {
      const point = byNumber.get(params.name ?? '');
      return point ? pointTip(task, point, rows(point)) : '';
    },
  };
}

export const figureWords = (value: number | null | undefined, unit: string, isShare?: boolean): string =>
  isShare
    ? withUnit(value === null || value === undefined ? value : value * 100, '%')
    : unit
      ? withUnit(value, unit)
      : number(value);
