import { useMemo } from 'react';
import { type Column, DataTable } from '@/components/DataTable';
import { NONE, number } from '@/format';
import type { PlotTable } from './table';

type Row = { key: number; cells: PlotTable['rows'][number] };

/** The figures of a plot. */
export function TableTwin({ table, label }: { table: PlotTable; label: string }) {
  const rows = useMemo<Row[]>(() => table.rows.map((cells, key) => ({ key, cells })), [table.rows]);
  const columns = useMemo<Column<Row>[]>(
    () =>
      table.columns.map((name, index) => ({
        id: String(index),
        label: name,
        sort: (row) => row.cells[index],
        align: table.rows.some((row) => typeof row[index] === 'number') ? 'right' : undefined,
        cell: ({ cells }) => {
          const value = cells[index];
          if (value === null || value === undefined) return NONE;
          return typeof value === 'number' ? <span title={String(value)}>{number(value, 4)}</span> : value;
        },
      })),
    [table],
  );
  return (
    <DataTable label={label} rows={rows} columns={columns} rowKey={(row) => row.key} maxHeight="24rem" rowHeight={28} />
  );
}
