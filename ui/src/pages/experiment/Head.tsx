import { Link } from '@tanstack/react-router';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Experiment, Role, TaskDetail } from '@/api/types';
import { Badge } from '@/components/Badge';
import { IconButton } from '@/components/Button';
import { StatusBadge } from '@/components/StatusBadge';
import { experiment as words } from '@/text/experiment';
import { shell } from '@/text/shell';

export function roleWord(role: Role): string {
  return role.kind === 'verify' ? words.roles.verify(role.block + 1, words.arms[role.arm]) : words.roles[role.kind];
}

export interface Neighbours {
  previous: number | undefined;
  next: number | undefined;
  all: number;
}

interface HeadProps {
  task: TaskDetail;
  experiment: Experiment;
  neighbours: Neighbours;
  onGo: (number: number) => void;
  actions: ReactNode;
}

/** Which experiment this is, how it ended, and the ways to its neighbours. */
export function Head({ task, experiment, neighbours, onGo, actions }: HeadProps) {
  const { number, role, outcome } = experiment;
  const word =
    outcome === undefined ? 'open' : outcome.kind === 'success' && outcome.partial ? 'partial' : outcome.kind;
  const { previous, next, all } = neighbours;
  return (
    <header className="mb-3">
      <nav aria-label={words.revision} className="mb-1 flex min-w-0 items-center gap-1 text-muted">
        <Link to="/tasks" className="hover:underline">
          {shell.pages.tasks}
        </Link>
        <ChevronRight aria-hidden className="size-3.5 shrink-0 text-faint" />
        <Link
          to="/tasks/$task"
          params={{ task: task.id }}
          title={task.name}
          className="min-w-0 truncate text-accent hover:underline"
        >
          {task.name}
        </Link>
      </nav>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h1 className="text-xl font-semibold tracking-tight">{words.title(number)}</h1>
        <div className="flex flex-wrap items-center gap-1.5">
          <StatusBadge state={word} />
          <Badge>{roleWord(role)}</Badge>
          {task.verdict?.best === number && <Badge tone="accent">{words.best}</Badge>}
          {task.verdict?.recommended === number && <Badge tone="ok">{words.recommended}</Badge>}
        </div>
        <div className="ml-auto flex flex-wrap items-center gap-2">
          <div className="flex items-center gap-0.5">
            <IconButton
              size="sm"
              label={previous === undefined ? words.noPrevious : words.previous(previous)}
              aria-keyshortcuts="k"
              disabled={previous === undefined}
              icon={<ChevronLeft aria-hidden className="size-4" />}
              onClick={() => previous !== undefined && onGo(previous)}
            />
            <span className="text-xs text-muted">{words.of(number, Math.max(all, number))}</span>
            <IconButton
              size="sm"
              label={next === undefined ? words.noNext : words.next(next)}
              aria-keyshortcuts="j"
              disabled={next === undefined}
              icon={<ChevronRight aria-hidden className="size-4" />}
              onClick={() => next !== undefined && onGo(next)}
            />
          </div>
          {actions}
        </div>
      </div>
    </header>
  );
}
