import { datasets as text } from '@/text/datasets';

function cell(value: unknown): string {
  if (value === undefined || value === null) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The first rows as a table; the columns are what they have. */
export function Examples({ rows }: { rows: readonly Record<string, unknown>[] }) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return (
    <section className="space-y-1">
      <h3 className="flex items-baseline gap-2 font-medium">
        {text.examples} <span className="text-xs font-normal text-faint">{text.examplesNote}</span>
      </h3>
      {rows.length === 0 ? (
        <p className="text-faint">{text.noExamples}</p>
      ) : (
        <div
          tabIndex={0}
          role="region"
          aria-label={text.examples}
          className="overflow-x-auto rounded-md border border-line"
        >
          <table className="w-full text-xs">
            <thead>
              <tr className="border-b border-line text-left text-muted">
                {columns.map((name) => (
                  <th key={name} scope="col" className="px-2 py-1 font-medium">
                    {name === 'line' ? text.line : name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, index) => (
                <tr key={index} className="border-b border-line/60 align-top last:border-0">
                  {columns.map((name) => (
                    <td key={name} className="min-w-12 px-2 py-1 [overflow-wrap:anywhere]">
                      {cell(row[name])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
