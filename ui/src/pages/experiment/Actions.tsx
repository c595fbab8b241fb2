import { useNavigate } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import type { Experiment, TaskDetail } from '@/api/types';
import { toastError } from '@/app/toasts';
import { Button } from '@/components/Button';
import { Menu, type MenuItem } from '@/components/Menu';
import { keepDraft } from '@/pages/tasks/draft';
import { experiment as words } from '@/text/experiment';
import { NeighbourDialog } from './NeighbourDialog';
import { derivedName, withBaseline } from './newTask';

interface ActionsProps {
  task: TaskDetail;
  experiment: Experiment;
  /** Number of the baseline. */
  baseline: number | undefined;
}

/** What can be begun from an experiment. */
export function Actions({ task, experiment, baseline }: ActionsProps) {
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const { number, configuration } = experiment;
  const { parameters } = task.task.search_space;
  const isOpen = task.status === 'pending' || task.status === 'running';
  const derive = async (ending: string, isOnlyThis: boolean) => {
    try {
      const text = await withBaseline({
        source: task.source,
        name: derivedName(task.name, ending),
        configuration,
        varied: new Set(Object.keys(parameters)),
        isOnlyThis,
      });
      if (keepDraft(text)) await navigate({ to: '/tasks/new' });
    } catch (error) {
      toastError(error, words.cannotRead);
    }
  };
  const compare = (other: number) => void navigate({ to: '/compare', search: { task: task.id, sel: [other, number] } });
  const best = task.verdict?.best;
  const items: MenuItem[] = [
    ...(baseline !== undefined && baseline !== number
      ? [{ label: words.compareBaseline, onSelect: () => compare(baseline) }]
      : []),
    ...(best && best !== number ? [{ label: words.compareBest, onSelect: () => compare(best) }] : []),
    { kind: 'line' },
    { label: words.cloneBaseline, onSelect: () => void derive(`-from-${number}`, false) },
    { label: words.again, onSelect: () => void derive(`-again-${number}`, true) },
    { label: words.neighbour, disabled: !isOpen, onSelect: () => setAsking(true) },
    { kind: 'label', label: isOpen ? words.againHint : words.neighbourClosed },
  ];
  return (
    <>
      <Menu items={items}>
        <Button size="sm" icon={<Ellipsis aria-hidden className="size-4" />}>
          {words.actions}
        </Button>
      </Menu>
      {isAsking && (
        <NeighbourDialog task={task.id} parameters={parameters} from={configuration} onClose={() => setAsking(false)} />
      )}
    </>
  );
}
