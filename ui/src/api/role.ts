import { useQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { ApiError } from './error';
import { keys } from './keys';
import { useSession } from './session';

export type Role = 'viewer' | 'operator' | 'admin';
const ORDER: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Whether somebody with the role `has` may do what needs `wanted`. */
export function suffices(has: Role, wanted: Role): boolean {
  return ORDER.indexOf(has) >= ORDER.indexOf(wanted);
}

async function allowed(read: Promise<unknown>): Promise<boolean> {
  try {
    await read;
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.isPermission) return false;
    throw error;
  }
}

/**
 * What this tab's token allows. The server does not say it, so two lists are asked for of which each needs a role; refused
 * reads leave no trace in the audit log. Without a token whoever is let in is on the server's machine and may do everything.
 */
export function useRole(): Role | undefined {
  const { token } = useSession();
  const { data } = useQuery({
    queryKey: [...keys.role, token],
    queryFn: async ({ signal }): Promise<Role> => {
      if (await allowed(ask(api.GET('/api/tokens', { signal })))) return 'admin';
      return (await allowed(ask(api.GET('/api/datasets', { signal })))) ? 'operator' : 'viewer';
    },
    enabled: token !== null,
  });
  return token === null ? 'admin' : data;
}

/** Whether changing buttons that need this role are shown; not before the role is known. */
export function useMay(wanted: Role = 'operator'): boolean {
  const role = useRole();
  return role !== undefined && suffices(role, wanted);
}
