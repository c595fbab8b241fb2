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
  const row = (key: string, cell: (pair: readonly [number, number]) => string): SideRow => ({
    key,
    label: key,
    cell: (at) => (pairs[at] ? cell(pairs[at]) : null),
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
        columns={pairs.map((_, at) => ({ key: at, head: String(at + 1) }))}
        groups={[
          {
            rows: [
              row(`${words.baseline} #${verdict.baseline}`, ([value]) => objectiveFigure(objective, value)),
              row(`${words.bestSide} #${verdict.best}`, ([, value]) => objectiveFigure(objective, value)),
              row(words.difference, ([base, value]) => change(gain(objective, value, base))),
            ],
          },
        ]}
      />
    </Panel>
  );
}
