import type { TaskDetail } from '@/api/types';
import { Panel } from '@/components/Card';
import { Interval } from '@/components/Interval';
import { SideBySide, type SideRow } from '@/components/SideBySide';
import {
  change,
  changeEstimate,
  changeInterval,
  firstObjective,
  gain,
  levelName,
  objectiveFigure,
  percent,
} from '@/format';
import { compare as words } from '@/text/compare';

/** The interleaved pairs of the verdict: what proves, or does not, that the best is better than the baseline. */
export function Pairs({ task }: { task: TaskDetail }) {
  const { verdict } = task;
  const { comparison, improvement } = verdict ?? {};
  if (!verdict || !comparison || comparison.pairs.length === 0 || verdict.best === null || verdict.baseline === null)
    return null;
  const objective = firstObjective(task.task);
  const { pairs, baseline_level, best_level } = comparison;
  const level = (at: number) => levelName(task.task.load.levels[at]);
  const columns = [`${words.baseline} #${verdict.baseline}`, `${words.bestSide} #${verdict.best}`, words.difference];
  const rows = pairs.map(([base, value], at): SideRow => {
    const cells = [
      objectiveFigure(objective, base),
      objectiveFigure(objective, value),
      change(gain(objective, value, base)),
    ];
    return { key: String(at), label: String(at + 1), cell: (column) => cells[column] };
  });
  return (
    <Panel title={words.pairs} note={words.pairsNote(pairs.length, percent(verdict.confidence))} flush>
      <div className="space-y-1 p-3">
        <p>{words.pairsText(verdict.best, verdict.baseline)}</p>
        <p className="text-xs text-muted">{words.atLevels(level(baseline_level), level(best_level))}</p>
        {improvement && (
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="font-semibold">{changeEstimate(improvement)}</span>
            <Interval
              low={improvement.low - 1}
              estimate={improvement.estimate - 1}
              high={improvement.high - 1}
              neutral={0}
              better="larger"
              confidence={verdict.confidence}
              format={(value) => change(value)}
            />
            <span className="text-muted">{changeInterval(improvement)}</span>
          </p>
        )}
      </div>
      <SideBySide
        label={words.pairs}
        corner={words.pair}
        columns={columns.map((name) => ({ key: name, head: name }))}
        groups={[{ rows }]}
      />
    </Panel>
  );
}
