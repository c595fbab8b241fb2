import { useQuery } from '@tanstack/react-query';
import { api, ask, keyed } from './client';
import { keys } from './keys';
import { useAction } from './query';
import type { WorkerItem } from './types';

export function useWorkers() {
  return useQuery({
    queryKey: keys.workers,
    queryFn: ({ signal }) => ask(api.GET('/api/workers', { signal })),
    select: (list) => list.items as unknown as WorkerItem[],
  });
}

/** Ask a worker to run on, drain, restart or stop. */
export function useAskWorker() {
  return useAction({
    run: ({ worker, asked }: { worker: string; asked: WorkerItem['asked'] }, key) => {
      const params = { path: { worker }, header: keyed(key) };
      return ask(api.POST('/api/workers/{worker}/ask', { params, body: { asked } }));
    },
  });
}

/** Forget a worker that is gone. */
export function removeWorker(worker: string) {
  return ask(api.DELETE('/api/workers/{worker}', { params: { path: { worker } } }));
}
