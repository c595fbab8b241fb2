import { api, ask, keyed } from './client';
import { useAction } from './query';
import type { Configuration } from './types';

/** Has configurations tried before what the search would try. The answer says which of them are new. */
export function useProposals() {
  return useAction({
    run: ({ task, configurations }: { task: string; configurations: Configuration[] }, key) => {
      const params = { path: { task }, header: keyed(key) };
      return ask(
        api.POST('/api/tasks/{task}/proposals', { params, body: { configurations: configurations as never } }),
      );
    },
  });
}
