import { GitCompareArrows } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useExperiments } from '@/api/experiments';
import { useTask, useTasks } from '@/api/tasks';
import type { ExperimentItem, TaskDetail, TaskItem } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { Combobox } from '@/components/Combobox';
import { type Column, DataTable } from '@/components/DataTable';
import { INPUT } from '@/components/Field';
import { Empty, Loaded } from '@/components/States';
import { StatusBadge } from '@/components/StatusBadge';
import { RelativeTime } from '@/components/Time';
import { useNarrow } from '@/components/useNarrow';
import { configurationLine, firstObjective, objectiveFigure } from '@/format';
import { roleWord } from '@/pages/experiment/Head';
import { VerdictShort } from '@/pages/tasks/VerdictShort';
import { common } from '@/text/common';
import { compare as words } from '@/text/compare';
import type { Search } from './search';

/** So many are compared at most. */
export const MOST = 6;

interface PickerProps {
  search: Search;
  onSearch: (change: Partial<Search>) => void;
  onDone: () => void;
}

/** Chooses what is compared: experiments of a task, or tasks. */
export function Picker({ search, onSearch, onDone }: PickerProps) {
  const isTasks = search.tasks !== undefined;
  const [kind, setKind] = useState<'experiments' | 'tasks'>(isTasks ? 'tasks' : 'experiments');
  return (
    <div className="space-y-3">
      <fieldset className="flex flex-wrap gap-2">
        <legend className="sr-only">{words.chooseWhat}</legend>
        {(['experiments', 'tasks'] as const).map((one) => (
          <Button
            key={one}
            aria-pressed={kind === one}
            tone={kind === one ? 'primary' : 'plain'}
            onClick={() => setKind(one)}
          >
            {words.kinds[one]}
          </Button>
        ))}
      </fieldset>
      {kind === 'tasks' ? (
        <TaskPicker search={search} onSearch={onSearch} onDone={onDone} />
      ) : (
        <ExperimentPicker search={search} onSearch={onSearch} onDone={onDone} />
      )}
    </div>
  );
}

function Chosen({ n, onCompare }: { n: number; onCompare: () => void }) {
  return (
    <>
      <span role="status" className="text-xs text-muted">
        {n > MOST ? words.tooMany : words.chosen(n)}
      </span>
      <Button
        tone="primary"
        size="sm"
        disabled={n < 2}
        icon={<GitCompareArrows aria-hidden className="size-4" />}
        onClick={onCompare}
      >
        {words.compareThese(Math.min(n, MOST))}
      </Button>
    </>
  );
}

function Find({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <input
      type="search"
      aria-label={common.search}
      placeholder={common.search}
      className={`${INPUT} h-7 max-w-52`}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

const has = (text: string, typed: string) =>
  typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.toLowerCase().includes(word));

function TaskPicker({ search, onSearch, onDone }: PickerProps) {
  const tasks = useTasks();
  const narrow = useNarrow();
  const [typed, setTyped] = useState('');
  const [selected, setSelected] = useState<ReadonlySet<string | number>>(new Set(search.tasks));
  const compare = () => {
    onSearch({ tasks: [...selected].slice(0, MOST).map(String), task: undefined, sel: undefined });
    onDone();
  };
  const columns = useMemo((): Column<TaskItem>[] => {
    const all: Column<TaskItem>[] = [
      {
        id: 'name',
        label: words.columns.name,
        width: 'minmax(10rem, 10fr)',
        sort: (task) => task.name,
        cell: (task) => task.name,
      },
      {
        id: 'status',
        label: words.columns.status,
        width: '8rem',
        sort: (task) => task.status,
        cell: (task) => <StatusBadge state={task.status} />,
      },
      {
        id: 'verdict',
        label: words.columns.verdict,
        width: 'minmax(12rem, 12fr)',
        cell: (task) => <VerdictShort task={task} />,
      },
      {
        id: 'engine',
        label: words.columns.engine,
        width: 'minmax(6rem, 6fr)',
        sort: (task) => task.engine,
        cell: (task) => task.engine,
      },
      {
        id: 'created',
        label: words.columns.created,
        width: '7rem',
        sort: (task) => task.created_at,
        cell: (task) => <RelativeTime at={task.created_at} />,
      },
    ];
    return narrow ? all.slice(0, 2) : all;
  }, [narrow]);
  return (
    <Panel title={words.pickTasks} actions={<Chosen n={selected.size} onCompare={compare} />} flush>
      <Loaded of={tasks} empty={<Empty title={words.noTasks} text={words.noTasksHint} />}>
        {(list) => (
          <DataTable
            label={words.pickTasks}
            rows={list.filter((task) => has(`${task.name} ${task.engine}`, typed))}
            columns={columns}
            rowKey={(task) => task.id}
            rowName={(task) => task.name}
            selected={selected}
            onSelect={setSelected}
            onOpen={(task) => setSelected((old) => toggled(old, task.id))}
            tools={<Find value={typed} onChange={setTyped} />}
            maxHeight="60vh"
          />
        )}
      </Loaded>
    </Panel>
  );
}

function toggled<T>(set: ReadonlySet<T>, one: T): Set<T> {
  const next = new Set(set);
  if (!next.delete(one)) next.add(one);
  return next;
}

function ExperimentPicker({ search, onSearch, onDone }: PickerProps) {
  const tasks = useTasks();
  const options = useMemo(
    () => (tasks.data ?? []).map((task) => ({ value: task.id, label: task.name, note: task.engine })),
    [tasks.data],
  );
  if (tasks.data?.length === 0) return <Empty title={words.noTasks} text={words.noTasksHint} />;
  return (
    <div className="space-y-3">
      <Combobox
        label={words.task}
        hint={words.chooseTask}
        value={search.task ?? ''}
        options={options}
        onChange={(task) => onSearch({ task, tasks: undefined, sel: undefined })}
        className="max-w-md"
      />
      {search.task && (
        <OfTask key={search.task} wanted={search.task} search={search} onSearch={onSearch} onDone={onDone} />
      )}
    </div>
  );
}

function OfTask({ wanted, ...rest }: PickerProps & { wanted: string }) {
  const task = useTask(wanted);
  return <Loaded of={task}>{(found) => <Experiments task={found} {...rest} />}</Loaded>;
}

function Experiments({ task, search, onSearch, onDone }: PickerProps & { task: TaskDetail }) {
  const experiments = useExperiments(task.id);
  const narrow = useNarrow();
  const [typed, setTyped] = useState('');
  const [selected, setSelected] = useState<ReadonlySet<string | number>>(new Set(search.sel));
  const objective = firstObjective(task.task);
  const compare = () => {
    const sel = [...selected].map(Number).slice(0, MOST);
    onSearch({ task: task.id, tasks: undefined, sel });
    onDone();
  };
  const all: Column<ExperimentItem>[] = [
    {
      id: 'number',
      label: words.columns.number,
      width: '4rem',
      align: 'right',
      sort: (one) => one.number,
      cell: (one) => one.number,
    },
    {
      id: 'role',
      label: words.columns.role,
      width: 'minmax(6rem, 6fr)',
      sort: (one) => roleWord(one.role),
      cell: (one) => roleWord(one.role),
    },
    {
      id: 'outcome',
      label: words.columns.outcome,
      width: '8rem',
      sort: (one) => one.outcome,
      cell: (one) => <StatusBadge state={one.outcome} />,
    },
    {
      id: 'objective',
      label: words.columns.objective,
      width: '8rem',
      align: 'right',
      sort: (one) => one.objective,
      cell: (one) => objectiveFigure(objective, one.objective),
    },
    {
      id: 'configuration',
      label: words.columns.configuration,
      width: 'minmax(14rem, 24fr)',
      cell: (one) => (
        <span className="font-mono text-xs" title={configurationLine(one.configuration)}>
          {configurationLine(one.configuration) || words.defaults}
        </span>
      ),
    },
  ];
  const columns = narrow ? all.filter(({ id }) => ['number', 'outcome', 'objective'].includes(id)) : all;
  return (
    <Panel title={words.pickExperiments} actions={<Chosen n={selected.size} onCompare={compare} />} flush>
      <Loaded of={experiments} empty={<Empty title={words.noExperiments} text={words.noTasksHint} />}>
        {(list) => (
          <DataTable
            label={words.pickExperiments}
            rows={list.filter((one) =>
              has(`#${one.number} ${roleWord(one.role)} ${one.outcome} ${configurationLine(one.configuration)}`, typed),
            )}
            columns={columns}
            rowKey={(one) => one.number}
            rowName={(one) => `#${one.number}`}
            selected={selected}
            onSelect={setSelected}
            onOpen={(one) => setSelected((old) => toggled(old, one.number))}
            tools={<Find value={typed} onChange={setTyped} />}
            maxHeight="60vh"
          />
        )}
      </Loaded>
    </Panel>
  );
}
