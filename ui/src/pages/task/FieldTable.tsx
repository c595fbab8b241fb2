interface FieldTableProps {
  label: string;
  heads: readonly string[];
  /** The first cell names the row. */
  rows: readonly (readonly (string | null)[])[];
  absent?: string;
}

/** Fields of a document with their values. */
export function FieldTable({ label, heads, rows, absent = '–' }: FieldTableProps) {
  return (
    <div className="max-h-[36rem] overflow-auto" tabIndex={0} role="region" aria-label={label}>
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-surface text-muted">
          <tr className="border-b border-line">
            {heads.map((head) => (
              <th key={head} scope="col" className="py-1 pr-3 text-left font-normal">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="font-mono">
          {rows.map(([name, ...cells]) => (
            <tr key={name} className="border-b border-line/60 align-top last:border-0">
              <th scope="row" className="py-1 pr-3 text-left font-normal [overflow-wrap:anywhere]">
                {name}
              </th>
              {cells.map((cell, index) => (
                <td key={index} className="py-1 pr-3 [overflow-wrap:anywhere]">
                  {cell ?? <span className="font-sans text-faint">{absent}</span>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
