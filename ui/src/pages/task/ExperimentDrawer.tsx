import { Link } from '@tanstack/react-router';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import type { Report } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Drawer } from '@/components/Dialog';
import { KeyValues } from '@/components/KeyValues';
import { change, duration, flagValue, number as numberText, percent, withUnit } from '@/format';
import { columnLabel } from '@/plots/data/axes';
import type { PlotTask, Point } from '@/plots/data/points';
import { stateWord } from '@/plots/marks';
import { StateMark } from '@/plots/StateLegend';
import { task as words } from '@/text/task';
import { timesBetter } from './Gain';

interface DrawerProps {
  task: PlotTask;
  report: Report | undefined;
  /** Those that one can walk through. */
  numbers: readonly number[];
  number: number;
  onShow: (number: number) => void;
  onClose: () => void;
}

/** An experiment beside the plots that it was found in. */
export function ExperimentDrawer({ task, report, numbers, number, onShow, onClose }: DrawerProps) {
  const point = task.points.find((it) => it.number === number);
  const at = numbers.indexOf(number);
  const [before, after] = [numbers[at - 1], numbers[at + 1]];
  const failure = report?.experiments.find((it) => it.number === number)?.failure;
  return (
    <Drawer
      open
      onOpenChange={(open) => open || onClose()}
      title={words.drawer.title(number)}
      actions={
        <>
          <IconButton
            label={words.drawer.previous}
            disabled={before === undefined}
            icon={<ChevronLeft aria-hidden className="size-4" />}
            onClick={() => before !== undefined && onShow(before)}
          />
          <IconButton
            label={words.drawer.next}
            disabled={after === undefined}
            icon={<ChevronRight aria-hidden className="size-4" />}
            onClick={() => after !== undefined && onShow(after)}
          />
          <Link
            to="/tasks/$task/experiments/$number"
            params={{ task: task.id, number: String(number) }}
            className="ml-auto self-center text-accent hover:underline"
          >
            {words.drawer.open}
          </Link>
        </>
      }
    >
      {point && (
        <div className="space-y-4">
          <Figures task={task} point={point} />
          <section>
            <h3 className="mb-1 font-medium">{words.drawer.configuration}</h3>
            <Differences task={task} point={point} />
          </section>
          {point.levels.length > 0 && (
            <section>
              <h3 className="mb-1 font-medium">{words.drawer.levels}</h3>
              <Levels task={task} point={point} />
            </section>
          )}
          {failure && (
            <section>
              <h3 className="mb-1 font-medium">
                {words.drawer.failure}: {failure.class}
              </h3>
              <p className="[overflow-wrap:anywhere]">{failure.message}</p>
              <p className="text-muted">{failure.hint}</p>
              {failure.log_tail.length > 0 && (
                <pre
                  tabIndex={0}
                  className="mt-2 max-h-48 overflow-auto rounded-md border border-line bg-sunken p-2 font-mono text-xs"
                >
                  {failure.log_tail.join('\n')}
                </pre>
              )}
            </section>
          )}
        </div>
      )}
    </Drawer>
  );
}

function Figures({ task, point }: { task: PlotTask; point: Point }) {
  const baseline = task.points.find((it) => it.number === task.baseline)?.objective ?? null;
  const ratio =
    baseline === null || point.objective === null ? null : timesBetter(task.objective, baseline, point.objective);
  return (
    <KeyValues
      pairs={[
        {
          label: words.drawer.outcome,
          value: (
            <span className="flex items-center gap-1.5">
              <StateMark state={point.state} />
              {stateWord(point.state)}
            </span>
          ),
        },
        {
          label: task.objective.label,
          value: `${withUnit(point.objective, task.objective.unit, 4)}${ratio === null ? '' : ` (${change(ratio - 1)})`}`,
        },
        ...point.slos.map((slo) => ({
          label: slo.label,
          value:
            slo.violation === null
              ? words.slos.notMeasured
              : `${numberText(slo.actual)} – ${
                  slo.violation > 0
                    ? words.slos.beyond(percent(slo.violation))
                    : words.slos.margin(percent(-slo.violation))
                }`,
        })),
        { label: words.drawer.duration, value: duration(point.elapsedS) },
      ]}
    />
  );
}

function Differences({ task, point }: { task: PlotTask; point: Point }) {
  const baseline = task.points.find((it) => it.number === task.baseline)?.configuration ?? {};
  const names = [...new Set([...Object.keys(point.configuration), ...Object.keys(baseline)])];
  const changed = names.filter((name) => flagValue(point.configuration[name]) !== flagValue(baseline[name]));
  if (changed.length === 0) return <p className="text-muted">{words.drawer.same}</p>;
  return (
    <KeyValues
      pairs={changed.map((name) => ({ label: name, value: flagValue(point.configuration[name]), mono: true }))}
    />
  );
}

function Levels({ task, point }: { task: PlotTask; point: Point }) {
  const columns = task.columns.filter(({ key }) => point.levels.some((level) => level.figures[key] !== undefined));
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-xs">
        <thead className="text-muted">
          <tr className="border-b border-line">
            <th scope="col" className="py-1 pr-3 text-left font-normal" />
            {point.levels.map((level) => (
              <th key={`${level.level} ${level.repeat}`} scope="col" className="py-1 pl-3 text-right font-normal">
                {level.label}
                {level.valid ? '' : ' ✗'}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.key} className="border-b border-line/60 last:border-0">
              <th scope="row" className="py-1 pr-3 text-left font-normal text-muted">
                {columnLabel(column)} {column.unit && `(${column.unit})`}
              </th>
              {point.levels.map((level) => (
                <td key={`${level.level} ${level.repeat}`} className="py-1 pl-3 text-right">
                  {column.share ? percent(level.figures[column.key]) : numberText(level.figures[column.key])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
