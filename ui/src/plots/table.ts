/** What a plot shows, as a table: its twin on the page, and its CSV. */
export interface PlotTable {
  columns: string[];
  rows: (string | number | null | undefined)[][];
}

function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180: numbers in full, a point for decimals. */
export function toCsv(table: PlotTable): string {
  return [table.columns, ...table.rows].map((row) => row.map(cell).join(',')).join('\r\n');
}
