import { CircleAlert } from 'lucide-react';
import type { Merge, Merged } from '@/api/presets';
import { Select } from '@/components/Select';
import { specText } from '@/document/parameter';
import { inline } from '@/document/write';
import { presets as words } from '@/text/presets';

export function MergeChoice({ value, onChange }: { value: Merge; onChange: (value: Merge) => void }) {
  return (
    <Select
      className="w-64 max-w-full"
      label={words.merge}
      value={value}
      options={(['union', 'intersection', 'last_wins'] as Merge[]).map((one) => ({
        value: one,
        label: words.merges[one],
      }))}
      hint={words.mergeHelp[value]}
      onChange={onChange}
    />
  );
}

/** What several presets are as one, what of them is not followed, and what a task's own words overrule. */
export function MergeView({ merged, overruled }: { merged: Merged; overruled?: (name: string) => string | null }) {
  const entries = Object.entries(merged.parameters);
  return (
    <div className="space-y-3">
      <table className="w-full table-fixed text-xs">
        <caption className="sr-only">{words.together}</caption>
        <thead>
          <tr className="border-b border-line text-left text-muted">
            <th className="w-2/5 py-1 pr-2 font-normal">{words.parameter}</th>
            <th className="py-1 font-normal">{words.values}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(([name, spec]) => {
            const why = overruled?.(name);
            return (
              <tr key={name} className="border-b border-line/60 align-top last:border-0">
                <td className="py-1 pr-2 font-mono [overflow-wrap:anywhere]">{name}</td>
                <td className="py-1 [overflow-wrap:anywhere]">
                  <span className={why ? 'font-mono text-faint line-through' : 'font-mono'}>{specText(spec)}</span>
                  {why && <span className="ml-2 text-muted">{why}</span>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {entries.length === 0 && <p className="text-muted">{words.nothingTogether}</p>}
      {merged.constraints.length > 0 && (
        <div>
          <p className="text-xs text-muted">{words.constraints}</p>
          <ul className="font-mono text-xs">
            {merged.constraints.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </div>
      )}
      {merged.conflicts.length > 0 && (
        <div className="rounded-md bg-warn-soft p-2 text-xs">
          <p className="mb-1 flex items-center gap-1.5 font-medium text-warn">
            <CircleAlert aria-hidden className="size-3.5" />
            {words.conflicts(merged.conflicts.length)}
          </p>
          <ul className="space-y-1">
            {merged.conflicts.map((one, index) => (
              <li key={index} className="[overflow-wrap:anywhere]">
                <span className="font-mono">{one.parameter}</span> {words.of(one.preset)}: {one.message}
                {one.given !== undefined && one.kept !== undefined && (
                  <span className="block font-mono text-muted">
                    {inline(one.given)} → {inline(one.kept)}
                  </span>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
