import { useQueryClient } from '@tanstack/react-query';
import { keys } from '@/api/keys';
import { useTasksById } from '@/api/taskNames';
import type { JobItem, WorkerItem } from '@/api/types';
import { removeWorker, useAskWorker } from '@/api/workers';
import { confirm } from '@/app/confirm';
import { toastError } from '@/app/toasts';
import { deleteUndoably } from '@/app/undo';
import { jobKind } from '@/components/jobs/useJobActions';
import { workers as text } from '@/text/workers';
import { workerName } from './describe';

export const workerKey = (id: string) => `worker ${id}`;

/** Ask a worker for something, with what that would interrupt; forget one that is gone. */
export function useWorkerActions() {
  const asking = useAskWorker();
  const client = useQueryClient();
  const tasks = useTasksById();

  const inWords = (job: JobItem) => {
    const name = tasks.get(job.task ?? '')?.name ?? job.task?.slice(0, 8);
    const experiment = job.progress?.experiment;
    if (name === undefined) return jobKind(job);
    return typeof experiment === 'number' ? text.experimentOf(experiment, name) : `${jobKind(job)}: ${name}`;
  };
  const ask = async (worker: WorkerItem, asked: WorkerItem['asked']) => {
    const running = client
      .getQueriesData<JobItem[]>({ queryKey: keys.jobs })
      .flatMap(([, data]) => (Array.isArray(data) ? data : []))
      .filter((job, index, all) => worker.jobs.includes(job.id) && all.findIndex(({ id }) => id === job.id) === index);
    const wanted =
      asked === 'run' ||
      (await confirm({
        title: text.title[asked](workerName(worker)),
        text: <Consequences asked={asked} running={running.map(inWords)} />,
        action: text.ask[asked],
        danger: asked === 'stop',
      }));
    if (!wanted) return;
    asking.mutate(
      { worker: worker.id, asked },
      {
        onError: (error) => toastError(error),
        onSettled: () => void client.invalidateQueries({ queryKey: keys.workers }),
      },
    );
  };
  const remove = (worker: WorkerItem) =>
    deleteUndoably({
      key: workerKey(worker.id),
      what: text.removed(workerName(worker)),
      run: () => removeWorker(worker.id).finally(() => client.invalidateQueries({ queryKey: keys.workers })),
    });
  return { ask, remove, busy: asking.isPending };
}

function Consequences({ asked, running }: { asked: 'drain' | 'restart' | 'stop'; running: string[] }) {
  return (
    <div className="space-y-2">
      <p>{text.does[asked]}</p>
      {running.length === 0 ? (
        <p>{text.interruptsNothing}</p>
      ) : (
        <>
          <p>{asked === 'drain' ? text.finishes : text.interrupts}</p>
          <ul className="list-disc pl-5 [overflow-wrap:anywhere]">
            {running.map((what) => (
              <li key={what}>{what}</li>
            ))}
          </ul>
          {asked !== 'drain' && <p>{text.goesOn}</p>}
        </>
      )}
    </div>
  );
}
