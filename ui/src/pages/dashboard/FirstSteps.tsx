import { Link, useNavigate } from '@tanstack/react-router';
import { Columns3Cog, FlaskConical, ListPlus, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useMay } from '@/api/role';
import { taskNames, useCreateTask, useStartTask } from '@/api/tasks';
import { toastError } from '@/app/toasts';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { exampleTask } from '@/pages/tasks/example';
import { dashboard as text } from '@/text/dashboard';
import { freeName } from './freeName';

const GO =
  'inline-flex h-8 items-center rounded-md border border-edge/60 bg-surface px-3 font-medium text-ink hover:bg-hover';

/** Makes the example under a free name, starts it, and opens it. */
function useExample() {
  const creating = useCreateTask();
  const starting = useStartTask();
  const navigate = useNavigate();
  const run = async () => {
    try {
      const document = await exampleTask();
      const name = freeName('example', await taskNames('example'));
      const task = await creating.mutateAsync(document.replace(/^name: .*$/m, `name: ${name}`));
      await starting.mutateAsync(task.id);
      await navigate({ to: '/tasks/$task', params: { task: task.id } });
    } catch (error) {
      toastError(error);
    }
  };
  return { run, busy: creating.isPending || starting.isPending };
}

/** What to do where nothing was done yet. */
export function FirstSteps() {
  const mayChange = useMay('operator');
  const { run, busy } = useExample();
  const { first } = text;
  return (
    <Panel title={first.title}>
      <p className="mb-3 max-w-prose text-muted">{first.text}</p>
      {!mayChange && <p className="mb-3 text-muted">{first.readOnly}</p>}
      <ol className="grid gap-3 md:grid-cols-3">
        <Step icon={FlaskConical} words={first.exampleText}>
          {mayChange && (
            <Button tone="primary" busy={busy} onClick={() => void run()}>
              {first.example}
            </Button>
          )}
        </Step>
        <Step icon={Columns3Cog} words={first.engineText}>
          <Link to="/engines" className={GO}>
            {first.engine}
          </Link>
        </Step>
        <Step icon={ListPlus} words={first.taskText}>
          {mayChange && (
            <Link to="/tasks/new" className={GO}>
              {first.task}
            </Link>
          )}
        </Step>
      </ol>
    </Panel>
  );
}

function Step({ icon: Icon, words, children }: { icon: LucideIcon; words: string; children: ReactNode }) {
  return (
    <li className="flex flex-col items-start gap-2 rounded-md border border-line p-3">
      <Icon aria-hidden className="size-5 text-accent" />
      <p className="flex-1 text-muted">{words}</p>
      {children}
    </li>
  );
}
