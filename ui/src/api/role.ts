import { useQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { keys } from './keys';
import { useSession } from './session';

export type Role = 'viewer' | 'operator' | 'admin';
const ORDER: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Whether somebody with the role `has` may do what needs `wanted`. */
export function suffices(has: Role, wanted: Role): boolean {
  return ORDER.indexOf(has) >= ORDER.indexOf(wanted);
}

/** What the server lets this tab do. */
export function useRole(): Role | undefined {
  const { token } = useSession();
  const { data } = useQuery({
    queryKey: [...keys.role, token],
    queryFn: ({ signal }) => ask(api.GET('/api/system/info', { signal })),
    select: (info) => info.role as Role,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data;
}

/** Whether changing buttons that need this role are shown; not before the role is known. */
export function useMay(wanted: Role = 'operator'): boolean {
  const role = useRole();
  return role !== undefined && suffices(role, wanted);
}
