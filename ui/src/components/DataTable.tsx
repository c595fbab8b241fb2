import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp, Columns3 } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { components } from '@/text/components';
import { IconButton } from './Button';
import { cx } from './cx';
import { Cells, RowCheck } from './DataTableRow';
import { Menu, type MenuItem } from './Menu';
import { Checkbox } from './Toggle';
import { type Sort, type SortKey, sorted, useColumns, useSort } from './tableState';

export interface Column<T> {
  id: string;
  /** Words of the head. */
  label: string;
  /** Longer words, as tooltip of the head. */
  help?: string;
  cell: (row: T) => ReactNode;
  /** Sorts by this; without it the column does not sort. Absent values come last either way. */
  sort?: (row: T) => SortKey;
  align?: 'right';
  /** Track of the CSS grid: `8rem`, `minmax(10rem, 2fr)`. */
  width?: string;
  /** Hidden until a person chooses it. */
  hidden?: boolean;
}

export interface DataTableProps<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string | number;
  /** What a row is called aloud. */
  rowName?: (row: T) => string;
  sort?: Sort;
  onSort?: (sort: Sort | undefined) => void;
  /** What is done with a row: Enter and click. */
  onOpen?: (row: T) => void;
  /** Rows may be selected; the keys of those that are. */
  selected?: ReadonlySet<string | number>;
  onSelect?: (selected: Set<string | number>) => void;
  /** The pointer or the keyboard is on it. */
  onHover?: (row: T | null) => void;
  /** Rows that stay at the top, such as the best; few, as they are always in sight. */
  pinned?: (row: T) => boolean;
  /** Named tables remember their columns. */
  name?: string;
  /** Left of the column chooser. */
  tools?: ReactNode;
  empty?: ReactNode;
  /** The table scrolls within this; without it up to 70 % of the window. */
  maxHeight?: string;
  rowHeight?: number;
  /** The last rows are in sight: more may be read. */
  onEnd?: () => void;
}

const HEAD = 32;

/** A table of any length: only the rows in sight are drawn. Arrow keys walk, Space selects, Enter opens. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { rows, columns, rowKey, selected, onSelect, onOpen, onHover, rowHeight = 32, maxHeight = '70vh' } = props;
  const box = useRef<HTMLDivElement>(null);
  const [sort, setSort] = useSort(props.sort, props.onSort);
  const { shown, isHidden, toggle } = useColumns(props.name, columns);
  const ordered = useMemo(() => sorted(rows, columns, sort, props.pinned), [rows, columns, sort, props.pinned]);
  const [active, setActive] = useState(0);
  const anchor = useRef<number | null>(null);
  const { pinned } = props;
  const pinnedCount = useMemo(() => (pinned ? ordered.filter(pinned).length : 0), [ordered, pinned]);
  // Pinned rows come first and stick below the head, so they are drawn wherever one has scrolled to.
  const range = useCallback(
    (seen: Range) => {
      const indices = defaultRangeExtractor(seen).filter((index) => index >= pinnedCount);
      return [...Array.from({ length: Math.min(pinnedCount, seen.count) }, (_, index) => index), ...indices];
    },
    [pinnedCount],
  );
  const virtual = useVirtualizer({
    count: ordered.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    rangeExtractor: range,
    scrollPaddingStart: HEAD + pinnedCount * rowHeight,
  });
  const at = Math.min(active, Math.max(0, ordered.length - 1));
  const lastShown = virtual.getVirtualItems().at(-1)?.index ?? -1;
  const { onEnd } = props;
  useEffect(() => {
    if (onEnd && lastShown >= ordered.length - 1) onEnd();
  }, [onEnd, lastShown, ordered.length]);
  const tracks = [onSelect && '2.25rem', ...shown.map((column) => column.width ?? 'minmax(6rem, 1fr)')]
    .filter(Boolean)
    .join(' ');
  const columnCount = shown.length + (onSelect ? 1 : 0);

  const select = (index: number, isRange: boolean) => {
    if (!onSelect) return;
    const next = new Set(selected);
    const row = ordered[index];
    if (row === undefined) return;
    if (isRange && anchor.current !== null) {
      const [from, to] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
      for (const one of ordered.slice(from, to + 1)) next.add(rowKey(one));
    } else {
      const key = rowKey(row);
      if (!next.delete(key)) next.add(key);
      anchor.current = index;
    }
    onSelect(next);
  };
  const latestSelect = useRef(select);
  useEffect(() => {
    latestSelect.current = select;
  });
  const toggleRow = useCallback((index: number) => latestSelect.current(index, false), []);
  const walk = (index: number) => {
    const next = Math.max(0, Math.min(ordered.length - 1, index));
    setActive(next);
    virtual.scrollToIndex(next);
    onHover?.(ordered[next] ?? null);
    requestAnimationFrame(() =>
      box.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus({ preventScroll: true }),
    );
  };
  const onKey = (event: KeyboardEvent) => {
    if (!(event.target as HTMLElement).matches('[role="row"]')) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 2);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: ordered.length - 1,
    };
    const step = steps[event.key];
    if (step !== undefined) walk(step);
    else if (event.key === ' ' && onSelect) select(at, event.shiftKey);
    else if (event.key === 'Enter' && onOpen && ordered[at] !== undefined) onOpen(ordered[at]);
    else return;
    event.preventDefault();
  };

  const chooser: MenuItem[] = columns.map((column) => ({
    kind: 'check',
    label: column.label,
    checked: !isHidden(column.id),
    onChange: () => toggle(column.id),
  }));
  const all = ordered.length > 0 && ordered.every((row) => selected?.has(rowKey(row)));
  const some = (selected?.size ?? 0) > 0;

  return (
    <div className="min-w-0">
      {(props.tools || props.name) && (
        <div className="flex flex-wrap items-center gap-2 border-b border-line px-2 py-1">
          {props.tools}
          <span className="ml-auto text-xs text-faint">
            {some && onSelect ? `${components.selected(selected?.size ?? 0)} · ` : ''}
            {components.rows(rows.length)}
          </span>
          {props.name && (
            <Menu items={chooser}>
              <IconButton size="sm" label={components.columns} icon={<Columns3 aria-hidden className="size-4" />} />
            </Menu>
          )}
        </div>
      )}
      <div
        ref={box}
        role="grid"
        tabIndex={-1}
        aria-label={props.label}
        aria-rowcount={ordered.length + 1}
        aria-colcount={columnCount}
        aria-multiselectable={onSelect ? true : undefined}
        onKeyDown={onKey}
        onMouseLeave={() => onHover?.(null)}
        className="overflow-auto"
        style={{ maxHeight }}
      >
        <div className="min-w-min" style={{ '--tracks': tracks } as React.CSSProperties}>
          <div
            role="row"
            aria-rowindex={1}
            className="sticky top-0 z-10 grid grid-cols-[var(--tracks)] items-center border-b border-line bg-surface text-xs text-muted"
            style={{ height: HEAD }}
          >
            {onSelect && (
              <div role="columnheader" className="flex justify-center">
                <Checkbox
                  hideLabel
                  label={components.selectAll}
                  checked={all ? true : some ? 'indeterminate' : false}
                  onChange={(checked) => onSelect(new Set(checked ? ordered.map(rowKey) : []))}
                />
              </div>
            )}
            {shown.map((column) => (
              <Head key={column.id} column={column} sort={sort} onSort={setSort} />
            ))}
          </div>
          <div className="relative" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map((item) => {
              const row = ordered[item.index] as T;
              const key = rowKey(row);
              const isSelected = selected?.has(key) ?? false;
              const isPinned = item.index < pinnedCount;
              return (
                <div
                  key={key}
                  role="row"
                  data-index={item.index}
                  aria-rowindex={item.index + 2}
                  aria-selected={onSelect ? isSelected : undefined}
                  tabIndex={item.index === at ? 0 : -1}
                  onFocus={(event) => event.target === event.currentTarget && setActive(item.index)}
                  onMouseEnter={() => onHover?.(row)}
                  onClick={(event) => {
                    const target = event.target as HTMLElement;
                    // A menu of the row stands elsewhere in the page, and its clicks are its own.
                    if (!event.currentTarget.contains(target) || target.closest('a,button,input,label')) return;
                    setActive(item.index);
                    if (onSelect && (event.ctrlKey || event.metaKey || event.shiftKey))
                      select(item.index, event.shiftKey);
                    else onOpen?.(row);
                  }}
                  className={cx(
                    'grid w-full grid-cols-[var(--tracks)] items-center border-b border-line/60 focus-visible:-outline-offset-2',
                    isPinned ? 'sticky z-5' : 'absolute left-0 top-0',
                    isSelected ? 'bg-accent-soft' : isPinned ? 'bg-surface hover:bg-hover' : 'hover:bg-hover',
                    onOpen && 'cursor-pointer',
                  )}
                  style={{
                    height: rowHeight,
                    ...(isPinned
                      ? { top: HEAD + item.index * rowHeight }
                      : { transform: `translateY(${item.start}px)` }),
                  }}
                >
                  {onSelect && (
                    <RowCheck
                      label={components.selectRow(props.rowName?.(row) ?? String(key))}
                      index={item.index}
                      checked={isSelected}
                      onToggle={toggleRow}
                    />
                  )}
                  <Cells row={row} columns={shown} />
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {ordered.length === 0 && (props.empty ?? <p className="p-6 text-center text-faint">{components.noRows}</p>)}
    </div>
  );
}

function Head<T>({
  column,
  sort,
  onSort,
}: {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: (sort: Sort | undefined) => void;
}) {
  const mine = sort?.id === column.id ? sort : undefined;
  const direction = mine ? (mine.descending ? 'descending' : 'ascending') : undefined;
  const Arrow = mine?.descending ? ArrowDown : ArrowUp;
  const next =
    mine === undefined ? { id: column.id } : mine.descending ? undefined : { id: column.id, descending: true };
  return (
    <div
      role="columnheader"
      aria-sort={direction}
      title={column.help}
      className={cx('min-w-0 px-1', column.align === 'right' && 'text-right')}
    >
      {column.sort ? (
        <button
          type="button"
          onClick={() => onSort(next)}
          className={cx(
            'inline-flex h-6 max-w-full items-center gap-1 rounded-sm px-1 hover:bg-hover hover:text-ink',
            mine && 'font-medium text-ink',
          )}
        >
          <span className="truncate">{column.label}</span>
          {mine && <Arrow aria-hidden className="size-3 shrink-0" />}
        </button>
      ) : (
        <span className="block truncate px-1">{column.label}</span>
      )}
    </div>
  );
}
