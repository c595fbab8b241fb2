import { Link } from '@tanstack/react-router';
import { FileUp, FlaskConical, Plus } from 'lucide-react';
import { Button } from '@/components/Button';
import { Empty } from '@/components/States';
import { tasks as words } from '@/text/tasks';

interface EmptyTasksProps {
  isFiltered: boolean;
  onClear: () => void;
  onImport: () => void;
  onExample: () => void;
}

/** Nothing in the list: what to do about it. */
export function EmptyTasks({ isFiltered, onClear, onImport, onExample }: EmptyTasksProps) {
  if (isFiltered) {
    return (
      <Empty title={words.noneTitle} text={words.noneText}>
        <Button onClick={onClear}>{words.clear}</Button>
      </Empty>
    );
  }
  return (
    <Empty
      title={words.emptyTitle}
      text={
        <>
          <p>{words.emptyText}</p>
          <p className="mt-1">{words.importHint}</p>
          <p className="mt-1">{words.emptyExampleHint}</p>
        </>
      }
    >
      <Link
        to="/tasks/new"
        className="inline-flex h-8 items-center gap-1.5 rounded-md border border-accent bg-accent px-3 font-medium text-on-accent hover:bg-accent-hover"
      >
        <Plus aria-hidden className="size-4" />
        {words.newTask}
      </Link>
      <Button icon={<FileUp aria-hidden className="size-4" />} onClick={onImport}>
        {words.importFile}
      </Button>
      <Button icon={<FlaskConical aria-hidden className="size-4" />} onClick={onExample}>
        {words.emptyExample}
      </Button>
    </Empty>
  );
}
