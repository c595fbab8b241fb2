import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useTaskSchema } from '@/api/documents';
import { keys } from '@/api/keys';
import { usePresets } from '@/api/presets';
import { taskNames, taskQuery, useTask } from '@/api/tasks';
import { useTitle } from '@/app/title';
import { Loaded, Skeleton } from '@/components/States';
import { setIn } from '@/document/edit';
import { parse } from '@/document/read';
import { DRAFT } from '@/pages/tasks/draft';
import { editor as words } from '@/text/editor';
import { shell } from '@/text/shell';
import { copyName } from './copyName';
import { Editor } from './Editor';
import type { Search } from './search';
import { EMPTY } from './template';

/** A new task, a copy of one, or the next revision of one. */
export default function EditorPage() {
  const { task } = useParams({ strict: false });
  const { from, presets } = useSearch({ strict: false }) as Search;
  useTitle(task ? shell.pages.editTask : shell.pages.newTask);
  if (task) return <EditTask key={task} task={task} />;
  if (from) return <CopyTask key={from} from={from} />;
  return <NewTask key={presets?.join()} presets={presets ?? []} />;
}

/** A text that another page handed over; it is taken away, so that it comes once. */
function useHanded(): string | undefined {
  const [handed] = useState(() => {
    try {
      return sessionStorage.getItem(DRAFT) ?? undefined;
    } catch {
      return undefined;
    }
  });
  useEffect(() => {
    if (handed !== undefined) sessionStorage.removeItem(DRAFT);
  }, [handed]);
  return handed;
}

function NewTask({ presets }: { presets: string[] }) {
  const handed = useHanded();
  const schema = useTaskSchema();
  const known = usePresets();
  const isReady = presets.length === 0 || !known.isPending;
  const base = useMemo(() => {
    if (presets.length === 0) return EMPTY;
    const engine = known.data?.find((one) => presets.includes(one.name) && one.engine)?.engine;
    const text = engine ? setIn(EMPTY, ['engine', 'name'], engine) : EMPTY;
    return setIn(text, ['search_space', 'presets'], presets);
  }, [presets, known.data]);
  return (
    <Loaded of={schema}>
      {(root) =>
        isReady ? (
          <Editor
            schema={root}
            base={base}
            scope={presets.length > 0 ? `presets ${presets.join()}` : 'new'}
            title={shell.pages.newTask}
            arrived={handed}
          />
        ) : (
          <Skeleton lines={6} />
        )
      }
    </Loaded>
  );
}

function CopyTask({ from }: { from: string }) {
  const schema = useTaskSchema();
  const copy = useQuery({
    queryKey: [...keys.task(from), 'copy'],
    queryFn: async ({ signal }) => {
      const task = await taskQuery(from).queryFn({ signal });
      const stem = task.name.replace(/-\d+$/, '');
      return { task, name: copyName(task.name, await taskNames(stem, signal)) };
    },
  });
  return (
    <Loaded of={schema}>
      {(root) => (
        <Loaded of={copy}>
          {({ task, name }) => (
            <Editor
              schema={root}
              base={setIn(task.source, ['name'], name)}
              scope={`from ${task.id}`}
              title={shell.pages.newTask}
              note={words.copyOf(task.name)}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

function EditTask({ task }: { task: string }) {
  const schema = useTaskSchema();
  const stored = useTask(task);
  return (
    <Loaded of={schema}>
      {(root) => (
        <Loaded of={stored}>
          {(found) => (
            <Editor
              schema={root}
              base={found.source}
              scope={`task ${found.id}`}
              title={words.edit(String(parse(found.source).value.name ?? found.name))}
              task={found}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}
