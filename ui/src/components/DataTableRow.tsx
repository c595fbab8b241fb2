import { memo } from 'react';
import { cx } from './cx';
import type { Column } from './DataTable';
import { Checkbox } from './Toggle';

/** Parts of a row that stay as they are while one scrolls: drawing them anew for each step would be felt. */

function CellsOf<T>({ row, columns }: { row: T; columns: readonly Column<T>[] }) {
  return columns.map((column) => (
    <div
      key={column.id}
      role="gridcell"
      className={cx('min-w-0 truncate px-2', column.align === 'right' && 'text-right')}
    >
      {column.cell(row)}
    </div>
  ));
}

export const Cells = memo(CellsOf) as unknown as typeof CellsOf;

interface RowCheckProps {
  label: string;
  index: number;
  checked: boolean;
  /** The same from render to render. */
  onToggle: (index: number) => void;
}

export const RowCheck = memo(function RowCheck({ label, index, checked, onToggle }: RowCheckProps) {
  return (
    <div role="gridcell" className="flex justify-center">
      <Checkbox hideLabel label={label} checked={checked} onChange={() => onToggle(index)} />
    </div>
  );
});
