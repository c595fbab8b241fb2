import {
  Ban,
  CircleCheck,
  CircleHelp,
  CircleSlash,
  CircleX,
  ClockAlert,
  Hand,
  LoaderCircle,
  type LucideIcon,
  Play,
} from 'lucide-react';
import { Badge, type BadgeTone } from '@/components/Badge';
import { chat } from '@/text/chat';
import type { CallState } from '../state/talk';

/** Each state by shape, word and colour. */
const LOOKS: Record<CallState, [icon: LucideIcon, tone: BadgeTone, colour: string]> = {
  waiting: [Hand, 'warn', 'text-warn'],
  ready: [Play, 'accent', 'text-accent'],
  running: [LoaderCircle, 'accent', 'text-accent'],
  executed: [CircleCheck, 'ok', 'text-ok'],
  failed: [CircleX, 'bad', 'text-bad'],
  denied: [CircleSlash, 'neutral', 'text-muted'],
  cancelled: [Ban, 'neutral', 'text-muted'],
  expired: [ClockAlert, 'warn', 'text-warn'],
  unknown: [CircleHelp, 'warn', 'text-warn'],
};

const turns = (state: CallState) => (state === 'running' ? ' animate-spin' : '');

export function StateIcon({ state, className = 'size-4' }: { state: CallState; className?: string }) {
  const [Icon, , colour] = LOOKS[state];
  return <Icon aria-hidden className={`${className} shrink-0 ${colour}${turns(state)}`} />;
}

export function StateWord({ state }: { state: CallState }) {
  const [Icon, tone] = LOOKS[state];
  return (
    <Badge tone={tone} icon={<Icon aria-hidden className={`size-3.5 shrink-0${turns(state)}`} />}>
      {chat.states[state]}
    </Badge>
  );
}
