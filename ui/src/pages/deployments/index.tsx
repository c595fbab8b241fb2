import { getRouteApi, Link } from '@tanstack/react-router';
import { Server } from 'lucide-react';
import { useMemo } from 'react';
import { useDeployments } from '@/api/deployments';
import { useMay } from '@/api/role';
import { useTasksById } from '@/api/taskNames';
import { useTitle } from '@/app/title';
import { Card, PageHead } from '@/components/Card';
import { TextField } from '@/components/Field';
import { Empty, Loaded } from '@/components/States';
import { common } from '@/text/common';
import { components } from '@/text/components';
import { deployments as text } from '@/text/deployments';
import { shell } from '@/text/shell';
import { DeploymentTable } from './DeploymentTable';

const route = getRouteApi('/deployments');
/** Up to so many are seen at a glance. */
const SEARCHED = 5;

export default function DeploymentsPage() {
  useTitle(shell.pages.deployments);
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  const deployments = useDeployments();
  const tasks = useTasksById();
  const mayChange = useMay('operator');
  const words = (q ?? '').toLowerCase();
  const shown = useMemo(
    () =>
      deployments.data?.filter((one) =>
        `${tasks.get(one.task)?.name ?? one.task} ${one.host} ${one.kind} ${one.address ?? ''} ${one.pid ?? ''}`
          .toLowerCase()
          .includes(words),
      ),
    [deployments.data, tasks, words],
  );
  return (
    <>
      <PageHead title={shell.pages.deployments} note={text.note} />
      <Card>
        {((deployments.data?.length ?? 0) > SEARCHED || q) && (
          <div className="border-b border-line p-2">
            <TextField
              label={common.search}
              hideLabel
              type="search"
              placeholder={common.search}
              className="sm:w-64"
              value={q ?? ''}
              onChange={(next) => void navigate({ search: { q: next || undefined }, replace: true })}
            />
          </div>
        )}
        <Loaded
          of={{ ...deployments, data: shown }}
          empty={
            deployments.data?.length ? (
              <Empty title={components.noMatch} />
            ) : (
              <Empty icon={<Server aria-hidden className="size-6" />} title={text.empty} text={text.emptyText}>
                <Link to="/tasks" className="text-accent underline">
                  {text.toTasks}
                </Link>
              </Empty>
            )
          }
        >
          {(rows) => <DeploymentTable deployments={rows} mayChange={mayChange} />}
        </Loaded>
      </Card>
    </>
  );
}
