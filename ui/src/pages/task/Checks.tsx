import { RotateCw } from 'lucide-react';
import { useTaskCheck } from '@/api/results';
import type { TaskDetail } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { Loaded } from '@/components/States';
import { StatusBadge } from '@/components/StatusBadge';
import { task as words } from '@/text/task';

/** What stands against the task on the server's machine, looked at before it runs. */
export function Checks({ task }: { task: TaskDetail }) {
  const check = useTaskCheck(task.id);
  return (
    <Panel
      title={words.checks.title}
      note={words.checks.hint}
      actions={
        <Button
          size="sm"
          busy={check.isFetching}
          icon={<RotateCw aria-hidden className="size-3.5" />}
          onClick={() => void check.refetch()}
        >
          {words.checks.again}
        </Button>
      }
    >
      <Loaded of={check} empty={<p className="text-muted">{words.checks.none}</p>}>
        {(checks) => (
          <ul className="divide-y divide-line/60">
            {checks.map(({ name, status, detail, hint }) => (
              <li key={name} className="grid grid-cols-[6.5rem_1fr] gap-x-3 py-1.5">
                <span>
                  <StatusBadge state={status} />
                </span>
                <div className="min-w-0 [overflow-wrap:anywhere]">
                  <span className="font-medium">{name}</span> <span className="text-muted">{detail}</span>
                  {hint && <p className="text-xs text-muted">{hint}</p>}
                </div>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
