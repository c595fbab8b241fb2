import { useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { DataTable } from '@/components/DataTable';
import { Empty } from '@/components/States';
import { readSort, type Sort, sortWord } from '@/components/tableState';
import type { Quantity } from '@/plots/data/axes';
import type { PlotTask, Point } from '@/plots/data/points';
import { hover, select, useSelected } from '@/plots/selection';
import { task as words } from '@/text/task';
import { experimentColumns } from './columns';

interface ExperimentsProps {
  task: PlotTask;
  known: readonly Quantity[];
  /** Of how many those shown are. */
  all: number;
  sort?: string;
  onSort: (sort: string | undefined) => void;
}

/** Every experiment with its parameters and figures; the best and the baseline stay in sight. */
export function ExperimentsTab({ task, known, all, sort, onSort }: ExperimentsProps) {
  const navigate = useNavigate();
  const selected = useSelected();
  const columns = useMemo(() => experimentColumns(task, known), [task, known]);
  const order = useMemo(() => readSort(sort), [sort]);
  const pinned = useCallback(
    (point: Point) => point.number === task.best || point.number === task.baseline,
    [task.best, task.baseline],
  );
  return (
    <div className="rounded-lg border border-line bg-surface">
      <DataTable
        label={words.table.label}
        name="experiments"
        rows={task.points}
        columns={columns}
        rowKey={(point) => point.number}
        rowName={(point) => words.table.row(point.number)}
        sort={order}
        onSort={(next: Sort | undefined) => onSort(sortWord(next))}
        pinned={pinned}
        selected={selected as ReadonlySet<string | number>}
        onSelect={(keys) => select([...keys].map(Number))}
        onHover={(point) => hover(point?.number ?? null)}
        onOpen={(point) =>
          void navigate({
            to: '/tasks/$task/experiments/$number',
            params: { task: task.id, number: String(point.number) },
          })
        }
        empty={
          all === 0 ? (
            <Empty title={words.table.empty} text={words.table.emptyHint} />
          ) : (
            <Empty title={words.table.noMatch} />
          )
        }
      />
    </div>
  );
}
