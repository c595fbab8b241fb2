import { useQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { keys } from './keys';
import type { Schemas } from './types';

export type Deployment = Schemas['DeploymentItem'];

/** Engines that workers launched and that are not known to be gone. */
export function useDeployments() {
  return useQuery({
    queryKey: keys.deployments,
    queryFn: ({ signal }) => ask(api.GET('/api/deployments', { signal })),
    select: (list) => list.items,
  });
}
