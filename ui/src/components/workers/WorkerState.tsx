import { CirclePause, RotateCw, Square } from 'lucide-react';
import type { WorkerItem } from '@/api/types';
import { Badge } from '@/components/Badge';
import { StatusBadge } from '@/components/StatusBadge';
import { workers as text } from '@/text/workers';

const ICONS = { drain: CirclePause, restart: RotateCw, stop: Square };

/** Whether a worker lives, and what it is asked to do. */
export function WorkerState({ worker }: { worker: WorkerItem }) {
  const { asked, alive } = worker;
  if (!alive) return <StatusBadge state="silent" title={text.silentHelp} />;
  if (asked === 'run') return <StatusBadge state="alive" />;
  const Icon = ICONS[asked];
  return (
    <Badge tone="warn" icon={<Icon aria-hidden className="size-3.5 shrink-0" />}>
      {text.asked[asked]}
    </Badge>
  );
}
