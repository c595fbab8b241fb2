import { useQueries } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { measurementsQuery } from '@/api/experiments';
import { taskPlots as words } from '@/text/taskPlots';
import { measurementAt, plain } from './data/measured';
import { isTime } from './data/objective';
import { type Curve, Percentiles } from './percentiles';
import type { PlotProps } from './registry';
import { useSelected } from './selection';
import { Pick } from './tools';

/** So many curves stay readable. */
const MOST = 6;

/** Percentile curves of the best, the baseline and the selected at one level, with the SLO. */
export function Latency({ task, x, height = 300 }: PlotProps) {
  const selected = useSelected();
  const timed = task.limits.find((limit) => isTime(limit.metric))?.metric;
  // What the agent asks for may be a column: `ttft_p99`.
  const [metric, setMetric] = useState(x?.replace(/_(p[\d.]+|mean|max|min)(_ms)?$/, '') ?? timed);
  const levels = useMemo(() => {
    const found = new Map(task.points.flatMap((point) => point.levels.map((it) => [it.level, it.label] as const)));
    return [...found].sort((a, b) => a[0] - b[0]);
  }, [task.points]);
  const decides = task.points.find((point) => point.number === (task.best ?? task.baseline))?.level ?? 0;
  const [chosen, setLevel] = useState<number | null>(null);
  const level = chosen ?? decides;
  const numbers = useMemo(() => {
    const first = [task.best, task.baseline].filter((number) => number !== null);
    const there = new Set(task.points.filter((point) => point.levels.length).map((point) => point.number));
    return [...new Set([...first, ...selected])].filter((number) => there.has(number)).slice(0, MOST);
  }, [task, selected]);
  const read = useQueries({ queries: numbers.map((number) => measurementsQuery(task.id, number)), combine: plain });
  const curves = useMemo<Curve[]>(
    () =>
      numbers.flatMap((number, index) => {
        const measured = measurementAt(read[index] ?? [], level);
        const role = number === task.best ? `${words.best} ` : number === task.baseline ? `${words.baseline} ` : '';
        return measured ? [{ name: `${role}#${number}`, metrics: measured.metrics }] : [];
      }),
    [numbers, read, level, task.best, task.baseline],
  );
  return (
    <Percentiles
      title={words.latency.title}
      curves={curves}
      slos={task.slos}
      metric={metric}
      onMetric={setMetric}
      fileName={`${task.name}-latency`}
      height={height}
      tools={
        levels.length > 1 && (
          <Pick
            label={words.pareto.level}
            value={String(level)}
            choices={levels.map(([at, name]) => ({ value: String(at), label: name }))}
            onChange={(to) => setLevel(Number(to))}
          />
        )
      }
    />
  );
}
