import { Archive, ArchiveRestore, Copy, EllipsisVertical, Pencil, Play, RotateCw, Square, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import type { TaskItem } from '@/api/types';
import { IconButton } from '@/components/Button';
import { Menu, type MenuItem } from '@/components/Menu';
import { tasks as words } from '@/text/tasks';
import type { TaskAction } from './counts';

const icon = (Icon: typeof Play): ReactNode => <Icon aria-hidden className="size-4" />;

export const ACTION_ICONS: Record<TaskAction, ReactNode> = {
  start: icon(Play),
  resume: icon(RotateCw),
  cancel: icon(Square),
  edit: icon(Pencil),
  archive: icon(Archive),
  unarchive: icon(ArchiveRestore),
  remove: icon(Trash2),
};

interface RowMenuProps {
  task: TaskItem;
  may: ReadonlySet<TaskAction>;
  act: (action: TaskAction, chosen: readonly TaskItem[]) => void;
  onClone: (task: TaskItem) => void;
  /** The menu alone. */
  isSmall?: boolean;
}

/** What can be done with a task: the most likely thing as a button, all of it as a menu. */
export function RowMenu({ task, may, act, onClone, isSmall }: RowMenuProps) {
  const first = (['start', 'resume', 'cancel'] as const).find((action) => may.has(action));
  const item = (action: TaskAction): MenuItem => ({
    label: words[action],
    icon: ACTION_ICONS[action],
    danger: action === 'remove',
    disabled: !may.has(action),
    onSelect: () => act(action, [task]),
  });
  const items: MenuItem[] = [
    item(first ?? 'start'),
    { label: words.clone, icon: icon(Copy), onSelect: () => onClone(task) },
    item('edit'),
    { kind: 'line' },
    item(may.has('unarchive') ? 'unarchive' : 'archive'),
    item('remove'),
  ];
  return (
    <div className="flex justify-end gap-0.5">
      {first && !isSmall && (
        <IconButton
          size="sm"
          label={`${words[first]}: ${task.name}`}
          icon={ACTION_ICONS[first]}
          onClick={() => act(first, [task])}
        />
      )}
      <Menu items={items}>
        <IconButton size="sm" label={words.actionsOf(task.name)} icon={icon(EllipsisVertical)} />
      </Menu>
    </div>
  );
}
