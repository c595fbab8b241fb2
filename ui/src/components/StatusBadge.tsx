import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CircleMinus,
  CirclePause,
  CircleSlash,
  CircleX,
  type LucideIcon,
  Octagon,
  Scissors,
  TriangleAlert,
} from 'lucide-react';
import { type StateWord, states } from '@/text/common';
import { Badge, type BadgeTone } from './Badge';

const LOOKS: Record<StateWord, [tone: BadgeTone, icon: LucideIcon]> = {
  pending: ['neutral', CircleDashed],
  queued: ['neutral', CircleDashed],
  running: ['accent', CircleDot],
  cancelling: ['warn', CirclePause],
  completed: ['ok', CircleCheck],
  succeeded: ['ok', CircleCheck],
  failed: ['bad', CircleX],
  cancelled: ['neutral', Ban],
  dead: ['bad', Octagon],
  interrupted: ['warn', CirclePause],
  open: ['accent', CircleDot],
  success: ['ok', CircleCheck],
  partial: ['warn', CircleMinus],
  infeasible: ['warn', CircleSlash],
  pruned: ['neutral', Scissors],
  feasible: ['ok', CircleCheck],
  soft_violation: ['warn', TriangleAlert],
  hard_violation: ['bad', TriangleAlert],
  good: ['ok', CircleCheck],
  warning: ['warn', TriangleAlert],
  alive: ['ok', CircleCheck],
  silent: ['bad', CircleX],
};

/** A state of a task, experiment, job or check: icon, word and colour. Unknown words are shown as they are. */
export function StatusBadge({ state, title }: { state: StateWord | (string & {}); title?: string }) {
  const known = state in LOOKS ? (state as StateWord) : null;
  if (known === null) return <Badge title={title}>{state}</Badge>;
  const [tone, Icon] = LOOKS[known];
  const moves = known === 'running' || known === 'open' || known === 'cancelling';
  return (
    <Badge
      tone={tone}
      title={title}
      icon={<Icon aria-hidden className={moves ? 'size-3.5 shrink-0 animate-pulse' : 'size-3.5 shrink-0'} />}
    >
      {states[known]}
    </Badge>
  );
}
