import { useNavigate } from '@tanstack/react-router';
import { GitCompareArrows, X } from 'lucide-react';
import type { TaskItem } from '@/api/types';
import { Button } from '@/components/Button';
import { tasks as words } from '@/text/tasks';
import type { TaskAction } from './counts';
import { ACTION_ICONS } from './RowMenu';

interface BulkBarProps {
  chosen: readonly TaskItem[];
  may: (task: TaskItem) => ReadonlySet<TaskAction>;
  act: (action: TaskAction, chosen: readonly TaskItem[]) => Promise<unknown> | unknown;
  onClear: () => void;
}

const BULK: TaskAction[] = ['start', 'resume', 'cancel', 'archive', 'unarchive', 'remove'];

/** What can be done with the selected tasks: each button with how many of them it concerns. */
export function BulkBar({ chosen, may, act, onClear }: BulkBarProps) {
  const navigate = useNavigate();
  const comparable = chosen.length >= 2 && chosen.length <= 6;
  const compare = () => void navigate({ to: '/compare', search: { tasks: chosen.map(({ id }) => id) } });
  return (
    <div role="toolbar" aria-label={words.bulk} className="flex min-w-0 flex-1 flex-wrap items-center gap-1.5">
      <span className="mr-1 font-medium">{words.chosen(chosen.length)}</span>
      {BULK.map((action) => {
        const those = chosen.filter((task) => may(task).has(action));
        if (those.length === 0) return null;
        return (
          <Button
            key={action}
            size="sm"
            tone={action === 'remove' ? 'danger' : 'plain'}
            icon={ACTION_ICONS[action]}
            onClick={() => void act(action, those)}
          >
            {words.act(words[action], those.length)}
          </Button>
        );
      })}
      <Button
        size="sm"
        disabled={!comparable}
        title={comparable ? undefined : words.compareLimit}
        icon={<GitCompareArrows aria-hidden className="size-4" />}
        onClick={compare}
      >
        {words.compare}
      </Button>
      <Button size="sm" tone="quiet" icon={<X aria-hidden className="size-3.5" />} onClick={onClear}>
        {words.clearSelection}
      </Button>
    </div>
  );
}
