import type { ReportChange } from '@/api/types';
import { task as words } from '@/text/task';

/** Where the best configuration differs from the baseline: nothing else needs to be set. */
export function Changes({ changes }: { changes: readonly ReportChange[] }) {
  const { parameter, baseline, best, none } = words.changes;
  if (changes.length === 0) return <p className="text-muted">{none}</p>;
  const cell = (value: string | undefined) =>
    value === undefined ? (
      <span className="font-sans text-faint" title={words.changes.defaultHelp}>
        {words.changes.default}
      </span>
    ) : (
      value
    );
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-xs">
        <thead className="text-muted">
          <tr className="border-b border-line">
            {[parameter, baseline, best].map((head) => (
              <th key={head} scope="col" className="py-1 pr-3 text-left font-normal">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="font-mono">
          {changes.map((change) => (
            <tr key={change.name} className="border-b border-line/60 last:border-0">
              <th scope="row" className="py-1 pr-3 text-left font-normal [overflow-wrap:anywhere]">
                {change.name}
              </th>
              <td className="py-1 pr-3 text-muted">{cell(change.baseline)}</td>
              <td className="py-1 font-medium">{cell(change.best)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
