import { createRouter } from '@tanstack/react-router';
import { Skeleton } from '@/components/States';
import { PageError } from './Problems';
import { routeTree } from './routes';
import { parseSearch, stringifySearch } from './search';

export function newRouter() {
  return createRouter({
    routeTree,
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPendingMs: 200,
    defaultPendingComponent: () => <Skeleton lines={5} />,
    defaultErrorComponent: PageError,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof newRouter>;
  }
}
