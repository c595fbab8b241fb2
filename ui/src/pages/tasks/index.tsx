import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { FileUp, Plus } from 'lucide-react';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useJobs } from '@/api/jobs';
import type { TaskItem } from '@/api/types';
import { useTitle } from '@/app/title';
import { toast } from '@/app/toasts';
import { Button } from '@/components/Button';
import { Card, PageHead } from '@/components/Card';
import { DataTable } from '@/components/DataTable';
import { Loaded, Skeleton } from '@/components/States';
import { readSort, sortWord } from '@/components/tableState';
import { useNarrow } from '@/components/useNarrow';
import { shell } from '@/text/shell';
import { tasks as words } from '@/text/tasks';
import { BulkBar } from './BulkBar';
import { CloneDialog } from './CloneDialog';
import { narrowColumns, type RowContext, wideColumns } from './columns';
import { allowed, queuedTasks } from './counts';
import { DropZone } from './DropZone';
import { keepDraft, readTaskFile } from './draft';
import { EmptyTasks } from './EmptyTasks';
import { exampleTask } from './example';
import { Filters, isFiltered } from './Filters';
import type { Search } from './search';
import { useTaskActions } from './useTaskActions';
import { useTaskList } from './useTaskList';

const route = getRouteApi('/tasks');
const QUEUED = { status: ['queued' as const, 'running' as const], kind: ['run_task'] };

export default function TasksPage() {
  useTitle(shell.pages.tasks);
  const search = route.useSearch();
  const setSearch = route.useNavigate();
  const navigate = useNavigate();
  const narrow = useNarrow();
  const jobs = useJobs(QUEUED);
  const { pages, rows } = useTaskList(search);
  const act = useTaskActions();
  const [selected, setSelected] = useState<ReadonlySet<string | number>>(new Set());
  const [cloning, setCloning] = useState<TaskItem | null>(null);
  const file = useRef<HTMLInputElement>(null);

  const queued = useMemo(() => queuedTasks(jobs.data), [jobs.data]);
  const isArchived = search.archived === 'only';
  const may = useCallback(
    (task: TaskItem) => allowed({ status: task.status, isQueued: queued.has(task.id), isArchived }),
    [queued, isArchived],
  );
  const columns = useMemo(() => {
    const context: RowContext = { queued, may, act, onClone: setCloning };
    return narrow ? narrowColumns(context) : wideColumns(context);
  }, [queued, may, act, narrow]);
  const chosen = useMemo(() => (rows ?? []).filter(({ id }) => selected.has(id)), [rows, selected]);

  const change = (next: Partial<Search>) =>
    void setSearch({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  const clear = () =>
    change({ q: undefined, status: undefined, engine: undefined, archived: undefined, replaced: undefined });
  const edit = (text: string | undefined) => {
    if (text !== undefined && keepDraft(text)) void navigate({ to: '/tasks/new' });
  };
  const take = async (files: readonly File[]) => {
    const [first] = files;
    if (!first) return;
    if (files.length > 1) toast({ tone: 'info', title: words.onlyFirst(first.name) });
    edit(await readTaskFile(first));
  };
  const onImport = () => file.current?.click();

  return (
    <DropZone onFiles={(files) => void take(files)}>
      <PageHead
        title={shell.pages.tasks}
        actions={
          <>
            <Button title={words.importHint} icon={<FileUp aria-hidden className="size-4" />} onClick={onImport}>
              {words.importFile}
            </Button>
            <Link
              to="/tasks/new"
              className="inline-flex h-8 items-center gap-1.5 rounded-md border border-accent bg-accent px-3 font-medium text-on-accent hover:bg-accent-hover"
            >
              <Plus aria-hidden className="size-4" />
              {words.newTask}
            </Link>
          </>
        }
      />
      <input
        ref={file}
        type="file"
        hidden
        aria-label={words.importFile}
        accept=".yaml,.yml,.json,application/json,application/yaml"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          event.target.value = '';
          void take(files);
        }}
      />
      <Card>
        <Loaded
          of={{ data: rows, error: pages.error, isPending: pages.isPending, refetch: pages.refetch }}
          isEmpty={() => false}
          skeleton={<Skeleton lines={8} />}
        >
          {(list) => (
            <DataTable
              label={words.list}
              name={narrow ? undefined : 'tasks'}
              rows={list}
              columns={columns}
              rowKey={(task) => task.id}
              rowName={(task) => task.name}
              rowHeight={narrow ? 96 : 44}
              sort={readSort(search.sort)}
              onSort={(sort) => change({ sort: sortWord(sort) })}
              selected={selected}
              onSelect={setSelected}
              onOpen={(task) => void navigate({ to: '/tasks/$task', params: { task: task.id } })}
              onEnd={() => pages.hasNextPage && !pages.isFetchingNextPage && void pages.fetchNextPage()}
              maxHeight="calc(100vh - 11rem)"
              tools={
                chosen.length > 0 ? (
                  <BulkBar chosen={chosen} may={may} act={act} onClear={() => setSelected(new Set())} />
                ) : (
                  <Filters search={search} onChange={change} />
                )
              }
              empty={
                <EmptyTasks
                  isFiltered={isFiltered(search)}
                  onClear={clear}
                  onImport={onImport}
                  onExample={() => void exampleTask().then(edit)}
                />
              }
            />
          )}
        </Loaded>
      </Card>
      {pages.hasNextPage && rows && (
        <p role="status" className="mt-2 text-xs text-faint">
          {pages.isFetchingNextPage ? words.loadingMore : words.more(rows.length)}
        </p>
      )}
      {cloning && <CloneDialog task={cloning} onClose={() => setCloning(null)} />}
    </DropZone>
  );
}
