import { Link } from '@tanstack/react-router';
import { BellOff, BellPlus } from 'lucide-react';
import { useState } from 'react';
import { useSubscribe, useSubscriptions, useUnsubscribe } from '@/api/chat';
import { toastError } from '@/app/toasts';
import { Button, IconButton } from '@/components/Button';
import { Combobox } from '@/components/Combobox';
import { Loaded } from '@/components/States';
import { Checkbox } from '@/components/Toggle';
import { chat } from '@/text/chat';
import { useChat } from './context';
import { useNewestTasks } from './useKnownTasks';

const words = chat.details;
const KINDS = ['task_completed', 'task_failed', 'task_cancelled'];

/** Tasks of whose end the agent is told. */
export function Watching() {
  const { session, may } = useChat();
  const watched = useSubscriptions(session);
  const tasks = useNewestTasks();
  const unwatch = useUnsubscribe(session);
  const nameOf = (id: string) => tasks.data?.find((task) => task.id === id)?.name ?? id.slice(0, 8);
  return (
    <div className="space-y-2">
      <p className="text-muted">{words.watchHelp}</p>
      <Loaded of={watched} empty={<p className="text-faint">{words.noWatch}</p>}>
        {(items) => (
          <ul className="space-y-1">
            {items.map((wish) => (
              <li key={wish.id} className="flex items-center gap-2 rounded-md border border-line px-2 py-1">
                <Link
                  to="/tasks/$task"
                  params={{ task: wish.task_id }}
                  className="min-w-0 truncate text-accent hover:underline"
                >
                  {nameOf(wish.task_id)}
                </Link>
                <span className="text-xs text-faint">
                  {wish.event_types.map((kind) => words.watchKinds[kind] ?? kind).join(', ')}
                </span>
                {may && (
                  <IconButton
                    size="sm"
                    className="ml-auto"
                    label={words.unwatch(nameOf(wish.task_id))}
                    disabled={unwatch.isPending}
                    icon={<BellOff aria-hidden className="size-3.5" />}
                    onClick={() => unwatch.mutate(wish.task_id, { onError: (error) => toastError(error) })}
                  />
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      {may && <Add session={session} />}
    </div>
  );
}

function Add({ session }: { session: string }) {
  const tasks = useNewestTasks();
  const subscribe = useSubscribe(session);
  const [task, setTask] = useState('');
  const [kinds, setKinds] = useState(KINDS.slice(0, 2));
  const options = (tasks.data ?? []).map(({ id, name, status }) => ({ value: id, label: name, note: status }));
  const toggle = (kind: string, on: boolean) => setKinds(on ? [...kinds, kind] : kinds.filter((one) => one !== kind));
  const add = () =>
    subscribe.mutate({ task, kinds }, { onSuccess: () => setTask(''), onError: (error) => toastError(error) });
  return (
    <div className="space-y-2 rounded-md border border-line bg-page p-2">
      <Combobox label={words.watchTask} value={task} options={options} onChange={setTask} free />
      <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <legend className="sr-only">{words.watchOn}</legend>
        {KINDS.map((kind) => (
          <Checkbox
            key={kind}
            label={words.watchKinds[kind]}
            checked={kinds.includes(kind)}
            onChange={(on) => toggle(kind, on)}
          />
        ))}
        <Button
          size="sm"
          className="ml-auto"
          busy={subscribe.isPending}
          disabled={task === '' || kinds.length === 0}
          icon={<BellPlus aria-hidden className="size-3.5" />}
          onClick={add}
        >
          {words.watchAdd}
        </Button>
      </fieldset>
    </div>
  );
}
