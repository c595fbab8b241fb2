import { Link } from '@tanstack/react-router';
import { useTasksById } from '@/api/taskNames';
import { jobs } from '@/text/jobs';

/** A task by its name, which leads to it. */
export function TaskLink({ id, className }: { id: string | null | undefined; className?: string }) {
  const tasks = useTasksById();
  if (!id) return <span className="text-faint">–</span>;
  const task = tasks.get(id);
  if (!task && tasks.size > 0) return <span className="text-faint">{jobs.unknownTask}</span>;
  return (
    <Link
      to="/tasks/$task"
      params={{ task: id }}
      title={task?.name}
      className={`text-accent hover:underline ${className ?? ''}`}
    >
      {task?.name ?? id.slice(0, 8)}
    </Link>
  );
}
