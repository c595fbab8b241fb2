import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useMay } from '@/api/role';
import { useTasks } from '@/api/tasks';
import { useTitle } from '@/app/title';
import { PageHead } from '@/components/Card';
import { dashboard as text } from '@/text/dashboard';
import { shell } from '@/text/shell';
import { Approvals } from './Approvals';
import { Day } from './Day';
import { Days } from './Days';
import { Ended } from './Ended';
import { FirstSteps } from './FirstSteps';
import { Health } from './Health';
import { Machine } from './Machine';
import { QueuePanel } from './QueuePanel';
import { Running } from './Running';
import { WorkersPanel } from './WorkersPanel';

/** What goes on, at one glance: the work at the left, who does it at the right, the machine below the work. */
export default function DashboardPage() {
  useTitle(shell.pages.dashboard);
  const tasks = useTasks();
  const mayChange = useMay('operator');
  const isNew = tasks.data?.length === 0;
  return (
    <>
      <PageHead
        title={shell.pages.dashboard}
        actions={
          mayChange && (
            <Link
              to="/tasks/new"
              className="inline-flex h-8 items-center gap-1.5 rounded-md border border-accent bg-accent px-3 font-medium text-on-accent hover:bg-accent-hover"
            >
              <Plus aria-hidden className="size-4" />
              {text.newTask}
            </Link>
          )
        }
      />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="space-y-4">
          {isNew && <FirstSteps />}
          {!isNew && <Running tasks={tasks} />}
          <Machine />
          {tasks.data && !isNew && <Day tasks={tasks.data} />}
          {tasks.data && !isNew && <Days tasks={tasks.data} />}
        </div>
        <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 md:grid-cols-2 xl:grid-cols-[minmax(0,1fr)]">
          <Approvals />
          <WorkersPanel />
          <QueuePanel />
          <Health />
          {tasks.data && <Ended tasks={tasks.data} />}
        </div>
      </div>
    </>
  );
}
