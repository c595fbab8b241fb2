import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useRevisions, useTask } from '@/api/tasks';
import type { Schemas, TaskDetail } from '@/api/types';
import { Panel } from '@/components/Card';
import { Select } from '@/components/Select';
import { Loaded } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { dateTime } from '@/format';
import { task as words } from '@/text/task';
import { FieldTable } from './FieldTable';
import { differences, type Json } from './specDiff';

type Revision = Schemas['Revision'];

/** Every version of what the task asks for, and how two of them differ. */
export function Revisions({ task }: { task: TaskDetail }) {
  const revisions = useRevisions(task.id);
  return (
    <Panel title={words.config.revisions}>
      <Loaded of={revisions}>
        {(list) => (
          <>
            <ul className="mb-3 divide-y divide-line/60">
              {list.map((revision) => (
                <li key={revision.task.id} className="flex flex-wrap items-center gap-x-3 py-1">
                  {revision.task.id === task.id ? (
                    <>
                      <span className="font-medium">{words.revision(revision.revision)}</span>
                      <span className="text-xs text-faint">{words.config.this}</span>
                    </>
                  ) : (
                    <Link
                      to="/tasks/$task"
                      params={{ task: revision.task.id }}
                      search={{ tab: 'configuration' }}
                      className="text-accent hover:underline"
                    >
                      {words.revision(revision.revision)}
                    </Link>
                  )}
                  <span className="ml-auto text-muted">
                    <RelativeTime at={revision.revised_at} />
                  </span>
                </li>
              ))}
            </ul>
            {list.length < 2 ? (
              <p className="text-muted">{words.config.only}</p>
            ) : (
              <Compared list={list} current={task.id} />
            )}
          </>
        )}
      </Loaded>
    </Panel>
  );
}

function Compared({ list, current }: { list: readonly Revision[]; current: string }) {
  const at = list.findIndex((revision) => revision.task.id === current);
  const [from, setFrom] = useState(list[at + 1]?.task.id ?? list.at(-1)?.task.id ?? current);
  const [to, setTo] = useState(at === list.length - 1 ? (list[0]?.task.id ?? current) : current);
  const [before, after] = [useTask(from), useTask(to)];
  const rows = useMemo(() => {
    if (!before.data || !after.data) return null;
    return differences(before.data.task as unknown as Json, after.data.task as unknown as Json);
  }, [before.data, after.data]);
  const options = list.map((revision) => ({
    value: revision.task.id,
    label: `${words.revision(revision.revision)}, ${dateTime(revision.revised_at)}`,
  }));
  const { config } = words;
  return (
    <section aria-label={config.difference}>
      <div className="mb-2 grid gap-2 sm:grid-cols-2">
        <Select label={config.from} value={from} options={options} onChange={setFrom} />
        <Select label={config.to} value={to} options={options} onChange={setTo} />
      </div>
      <Loaded of={{ ...after, data: rows ?? undefined, error: before.error ?? after.error }}>
        {(found) =>
          found.length === 0 ? (
            <p className="text-muted">{config.same}</p>
          ) : (
            <FieldTable
              label={config.difference}
              heads={[config.field, config.from, config.to]}
              rows={found.map(({ path, before: old, after: now }) => [path, old, now])}
              absent={config.absent}
            />
          )
        }
      </Loaded>
    </section>
  );
}
