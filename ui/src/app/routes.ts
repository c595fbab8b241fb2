import { createRootRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { readSearch as audit } from '@/pages/audit/search';
import { readSearch as chat } from '@/pages/chat/search';
import { readSearch as compare } from '@/pages/compare/search';
import { readSearch as datasets } from '@/pages/datasets/search';
import { readSearch as deployments } from '@/pages/deployments/search';
import { readSearch as editor } from '@/pages/editor/search';
import { readSearch as engines } from '@/pages/engines/search';
import { readSearch as experiment } from '@/pages/experiment/search';
import { readSearch as jobs } from '@/pages/jobs/search';
import { readSearch as presets } from '@/pages/presets/search';
import { readSearch as settings } from '@/pages/settings/search';
import { readSearch as task } from '@/pages/task/search';
import { readSearch as tasks } from '@/pages/tasks/search';
import { readSearch as workers } from '@/pages/workers/search';
import { NotFound } from './Problems';
import { Shell } from './Shell';
import { numbers, type Raw } from './search';

/** Every address of the page. Each page is loaded when somebody goes there. */

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  /** Selected experiments, on whatever page shows experiments. */
  validateSearch: (raw: Raw): { sel?: number[] } => ({ sel: numbers(raw, 'sel') }),
});
const getParentRoute = () => root;

const children = [
  createRoute({
    getParentRoute,
    path: '/',
    component: lazyRouteComponent(() => import('@/pages/dashboard')),
  }),
  createRoute({
    getParentRoute,
    path: '/tasks',
    validateSearch: tasks,
    component: lazyRouteComponent(() => import('@/pages/tasks')),
  }),
  createRoute({
    getParentRoute,
    path: '/tasks/new',
    validateSearch: editor,
    component: lazyRouteComponent(() => import('@/pages/editor')),
  }),
  createRoute({
    getParentRoute,
    path: '/tasks/$task',
    validateSearch: task,
    component: lazyRouteComponent(() => import('@/pages/task')),
  }),
  createRoute({
    getParentRoute,
    path: '/tasks/$task/edit',
    validateSearch: editor,
    component: lazyRouteComponent(() => import('@/pages/editor')),
  }),
  createRoute({
    getParentRoute,
    path: '/tasks/$task/experiments/$number',
    validateSearch: experiment,
    component: lazyRouteComponent(() => import('@/pages/experiment')),
  }),
  createRoute({
    getParentRoute,
    path: '/compare',
    validateSearch: compare,
    component: lazyRouteComponent(() => import('@/pages/compare')),
  }),
  createRoute({
    getParentRoute,
    path: '/presets',
    validateSearch: presets,
    component: lazyRouteComponent(() => import('@/pages/presets')),
  }),
  createRoute({
    getParentRoute,
    path: '/engines',
    validateSearch: engines,
    component: lazyRouteComponent(() => import('@/pages/engines')),
  }),
  createRoute({
    getParentRoute,
    path: '/deployments',
    validateSearch: deployments,
    component: lazyRouteComponent(() => import('@/pages/deployments')),
  }),
  createRoute({
    getParentRoute,
    path: '/datasets',
    validateSearch: datasets,
    component: lazyRouteComponent(() => import('@/pages/datasets')),
  }),
  createRoute({
    getParentRoute,
    path: '/workers',
    validateSearch: workers,
    component: lazyRouteComponent(() => import('@/pages/workers')),
  }),
  createRoute({
    getParentRoute,
    path: '/jobs',
    validateSearch: jobs,
    component: lazyRouteComponent(() => import('@/pages/jobs')),
  }),
  createRoute({
    getParentRoute,
    path: '/chat',
    validateSearch: chat,
    component: lazyRouteComponent(() => import('@/pages/chat')),
  }),
  createRoute({
    getParentRoute,
    path: '/chat/$session',
    validateSearch: chat,
    component: lazyRouteComponent(() => import('@/pages/chat')),
  }),
  createRoute({
    getParentRoute,
    path: '/audit',
    validateSearch: audit,
    component: lazyRouteComponent(() => import('@/pages/audit')),
  }),
  createRoute({
    getParentRoute,
    path: '/settings',
    validateSearch: settings,
    component: lazyRouteComponent(() => import('@/pages/settings')),
  }),
] as const;

export const routeTree = root.addChildren(children);
