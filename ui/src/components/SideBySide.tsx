import type { ReactNode } from 'react';

export interface SideColumn {
  key: string | number;
  head: ReactNode;
}

export interface SideRow {
  key: string;
  label: ReactNode;
  /** What stands in the column at this position. */
  cell: (column: number) => ReactNode;
}

export interface SideGroup {
  label?: string;
  rows: readonly SideRow[];
}

interface SideBySideProps {
  label: string;
  /** Head of the column with the names of the rows. */
  corner: string;
  columns: readonly SideColumn[];
  groups: readonly SideGroup[];
  align?: 'left' | 'right';
}

/** Few things in columns, many properties down: the names stay in sight while the columns scroll. */
export function SideBySide({ label, corner, columns, groups, align = 'right' }: SideBySideProps) {
  return (
    <div className="overflow-x-auto focus-visible:-outline-offset-2" tabIndex={0} role="region" aria-label={label}>
      <table className={`w-full border-collapse ${align === 'right' ? 'text-right' : 'text-left'}`}>
        <thead>
          <tr className="border-b border-line">
            <th
              scope="col"
              className="sticky left-0 z-10 min-w-32 bg-surface px-3 py-1.5 text-left font-medium text-muted"
            >
              {corner}
            </th>
            {columns.map((column) => (
              <th key={column.key} scope="col" className="min-w-36 px-3 py-1.5 align-bottom font-semibold">
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <Group key={group.label ?? ''} group={group} columns={columns} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Group({ group, columns }: { group: SideGroup; columns: readonly SideColumn[] }) {
  if (group.rows.length === 0) return null;
  return (
    <>
      {group.label && (
        <tr>
          <th
            scope="colgroup"
            colSpan={columns.length + 1}
            className="px-3 pt-3 pb-0.5 text-left text-xs font-medium text-faint"
          >
            <span className="sticky left-3">{group.label}</span>
          </th>
        </tr>
      )}
      {group.rows.map((row) => (
        <tr key={row.key} className="group border-b border-line/60 last:border-0 hover:bg-hover">
          <th
            scope="row"
            className="sticky left-0 z-10 max-w-40 bg-surface px-3 py-1 text-left font-normal text-muted [overflow-wrap:anywhere] group-hover:bg-hover sm:max-w-64"
          >
            {row.label}
          </th>
          {columns.map((column, index) => (
            <td key={column.key} className="px-3 py-1 align-top [overflow-wrap:anywhere]">
              {row.cell(index)}
            </td>
          ))}
        </tr>
      ))}
    </>
  );
}
