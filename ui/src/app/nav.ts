import {
  ChartNoAxesCombined,
  Columns3Cog,
  Cpu,
  Database,
  Gauge,
  GitCompareArrows,
  ListChecks,
  ListTodo,
  type LucideIcon,
  MessageSquare,
  Server,
  Settings,
  ShieldCheck,
  SlidersHorizontal,
} from 'lucide-react';
import { shell } from '@/text/shell';

export interface Place {
  to:
    | '/'
    | '/tasks'
    | '/compare'
    | '/presets'
    | '/engines'
    | '/deployments'
    | '/datasets'
    | '/workers'
    | '/jobs'
    | '/chat'
    | '/audit'
    | '/settings';
  label: string;
  icon: LucideIcon;
}

/** The pages of the side navigation, in groups. */
export const PLACES: Place[][] = [
  [
    { to: '/', label: shell.pages.dashboard, icon: Gauge },
    { to: '/tasks', label: shell.pages.tasks, icon: ListTodo },
    { to: '/compare', label: shell.pages.compare, icon: GitCompareArrows },
    { to: '/chat', label: shell.pages.chat, icon: MessageSquare },
  ],
  [
    { to: '/presets', label: shell.pages.presets, icon: SlidersHorizontal },
    { to: '/engines', label: shell.pages.engines, icon: Columns3Cog },
    { to: '/datasets', label: shell.pages.datasets, icon: Database },
  ],
  [
    { to: '/deployments', label: shell.pages.deployments, icon: Server },
    { to: '/workers', label: shell.pages.workers, icon: Cpu },
    { to: '/jobs', label: shell.pages.jobs, icon: ListChecks },
    { to: '/audit', label: shell.pages.audit, icon: ShieldCheck },
    { to: '/settings', label: shell.pages.settings, icon: Settings },
  ],
];

export const Logo = ChartNoAxesCombined;
