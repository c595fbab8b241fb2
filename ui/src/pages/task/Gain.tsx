import type { Verdict } from '@/api/types';
import { Interval } from '@/components/Interval';
import { change, changeEstimate, changeInterval, number, percent } from '@/format';
import type { ResolvedObjective } from '@/plots/data/objective';
import type { PlotTask } from '@/plots/data/points';
import { task as words } from '@/text/task';

/** How many times better: 1.2 is 20 % better, for rates and times alike. */
export function timesBetter(
  objective: Pick<ResolvedObjective, 'goal'>,
  baseline: number,
  value: number,
): number | null {
  const ratio = objective.goal === 'maximize' ? value / baseline : baseline / value;
  return baseline > 0 && value > 0 && Number.isFinite(ratio) ? ratio : null;
}

/** The gain over the baseline with its interval, drawn and in words; or that there is none that was proven. */
export function Gain({ task, verdict }: { task: PlotTask; verdict: Verdict }) {
  const { improvement, comparison, confidence } = verdict;
  if (!improvement) return <Unverified task={task} />;
  const range = changeInterval(improvement);
  const isProven = improvement.low > 1 || improvement.high < 1;
  return (
    <div>
      <h3 className="text-xs text-muted">{words.verdict.gain}</h3>
      <div className="mt-1 flex flex-wrap items-center gap-x-4 gap-y-1">
        <span className={`text-2xl font-semibold ${isProven ? '' : 'text-muted'}`}>{changeEstimate(improvement)}</span>
        <Interval
          {...improvement}
          neutral={1}
          better="larger"
          confidence={confidence}
          format={(factor) => change(factor - 1)}
          width={240}
        />
      </div>
      <p className="mt-1 text-muted">{words.verdict.confidence(range, percent(confidence), improvement.pairs)}</p>
      {!isProven && <p className="text-muted">{words.verdict.notProven}</p>}
      {comparison && comparison.pairs.length > 0 && <Pairs task={task} comparison={comparison} />}
    </div>
  );
}

function Pairs({ task, comparison }: { task: PlotTask; comparison: NonNullable<Verdict['comparison']> }) {
  const label = (level: number) =>
    task.points.flatMap((point) => point.levels).find((it) => it.level === level)?.label ?? `#${level}`;
  const { verdict } = words;
  return (
    <details className="mt-2">
      <summary className="w-fit text-accent">
        {verdict.pairs}
        {task.hasReport && (
          <span className="ml-2 text-xs text-faint">
            {verdict.atLevels(label(comparison.baseline_level), label(comparison.best_level))}
          </span>
        )}
      </summary>
      <table className="mt-1 text-xs">
        <thead className="text-muted">
          <tr>
            <th scope="col" className="pr-4 text-left font-normal" />
            {[verdict.baseline, verdict.best].map((head) => (
              <th key={head} scope="col" className="pr-4 text-right font-normal">
                {head} ({task.objective.unit})
              </th>
            ))}
            <th scope="col" className="text-right font-normal">
              {verdict.change}
            </th>
          </tr>
        </thead>
        <tbody>
          {comparison.pairs.map(([baseline, best], index) => {
            const ratio = timesBetter(task.objective, baseline, best);
            return (
              <tr key={index}>
                <th scope="row" className="pr-4 text-left font-normal text-muted">
                  {verdict.pair(index + 1)}
                </th>
                <td className="pr-4 text-right">{number(baseline, 4)}</td>
                <td className="pr-4 text-right">{number(best, 4)}</td>
                <td className="text-right">{change(ratio === null ? null : ratio - 1)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}

/** What single runs say, where nothing was verified. */
function Unverified({ task }: { task: PlotTask }) {
  const value = (wanted: number | null) => task.points.find((point) => point.number === wanted)?.objective;
  const [baseline, best] = [value(task.baseline), value(task.best)];
  const ratio = baseline == null || best == null ? null : timesBetter(task.objective, baseline, best);
  return (
    <div>
      <h3 className="text-xs text-muted">{words.verdict.gain}</h3>
      <p className="mt-1 text-lg font-semibold text-muted">{words.verdict.none}</p>
      {ratio !== null && (
        <p className="text-muted">
          {words.verdict.unverified}: {change(ratio - 1)}
        </p>
      )}
    </div>
  );
}
