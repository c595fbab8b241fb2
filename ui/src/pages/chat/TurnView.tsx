import { Info, TriangleAlert } from 'lucide-react';
import { memo } from 'react';
import { Badge } from '@/components/Badge';
import { CopyButton } from '@/components/Copy';
import { cx } from '@/components/cx';
import { RelativeTime } from '@/components/Time';
import { count, si } from '@/format';
import { chat } from '@/text/chat';
import { CallCard } from './card/CallCard';
import { Feedback } from './Feedback';
import { Looks } from './Looks';
import { Words } from './markdown/Words';
import type { Message, Talk } from './state/talk';
import type { Part, Turn } from './state/turns';
import { Thought } from './Thought';

const words = chat.messages;

interface TurnViewProps {
  turn: Turn;
  talk: Talk;
  wanted?: string;
  /** Nothing more is added to it. */
  over: boolean;
  may: boolean;
}

/** What a person said, and what came of it. */
export function TurnView({ turn, talk, wanted, over, may }: TurnViewProps) {
  const isShort = turn.user && isCompacted(turn.user, talk);
  return (
    <div className={cx('space-y-3', isShort && 'opacity-80')}>
      {turn.user && <Said message={turn.user} />}
      {turn.parts.map((part) => (
        <PartView key={keyOf(part)} part={part} talk={talk} wanted={wanted} over={over} />
      ))}
      {over && turn.last && <Foot turn={turn} last={turn.last} may={may} />}
    </div>
  );
}

function isCompacted(message: Message, talk: Talk): boolean {
  return talk.compactedAt !== null && Date.parse(message.createdAt) < Date.parse(talk.compactedAt);
}

function keyOf(part: Part): string {
  if (part.kind === 'card') return part.call.id;
  return part.kind === 'looks' ? `looks ${part.key}` : part.message.id;
}

interface PartViewProps {
  part: Part;
  talk: Talk;
  wanted?: string;
  over: boolean;
}

function PartView({ part, talk, wanted, over }: PartViewProps) {
  switch (part.kind) {
    case 'text':
      return <Answer message={part.message} />;
    case 'note':
      return <Note message={part.message} />;
    case 'looks':
      return <Looks calls={part.calls} progress={talk.progress} wanted={wanted} over={over} />;
    default:
      return (
        <CallCard
          call={part.call}
          progress={talk.progress.get(part.call.id)}
          shadow={talk.shadow.get(part.call.id)}
          wanted={part.call.id === wanted}
        />
      );
  }
}

/** What a person said: as they typed it. */
export const Said = memo(function Said({ message }: { message: Pick<Message, 'id' | 'text' | 'createdAt'> }) {
  return (
    <article
      aria-label={words.you}
      data-message={message.id}
      className="ml-auto w-fit max-w-[85%] rounded-lg bg-accent-soft px-3 py-2"
    >
      <div className="whitespace-pre-wrap text-base [overflow-wrap:anywhere]">{message.text}</div>
      <div className="mt-0.5 text-right text-xs text-muted">
        <RelativeTime at={message.createdAt} />
      </div>
    </article>
  );
});

const Answer = memo(function Answer({ message }: { message: Message }) {
  const empty = message.text.trim() === '';
  return (
    <article aria-label={words.agent} data-message={message.id} className="min-w-0 space-y-1">
      <Thought text={message.reasoning} />
      {!empty && <Words text={message.text} />}
      {empty && message.reasoning === '' && <p className="text-faint">{words.nothing}</p>}
      {message.state === 'interrupted' && <Badge>{words.interrupted}</Badge>}
    </article>
  );
});

/** Something that this service says about the conversation. */
function Note({ message }: { message: Message }) {
  return (
    <div
      role="note"
      data-message={message.id}
      className="flex gap-2 rounded-md border border-warn/40 bg-warn-soft px-3 py-2 [overflow-wrap:anywhere]"
    >
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
      <span className="whitespace-pre-wrap">{message.text}</span>
    </div>
  );
}

/** Whole numbers as long as they are short. */
const tokens = (n: number) => (n < 10_000 ? count(n) : si(n));

/** Small words below an answer: when, by what, how much; copy and thumbs. */
function Foot({ turn, last, may }: { turn: Turn; last: Message; may: boolean }) {
  const told = [
    last.model,
    turn.steps > 1 && words.steps(turn.steps),
    turn.tokens > 0 && words.tokens(tokens(turn.tokens)),
    last.afterDecision && words.afterDecision,
  ].filter((part) => typeof part === 'string');
  return (
    <div className="-ml-1.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-faint">
      <CopyButton text={last.text} label={words.copyMessage} />
      {may && <Feedback message={last} />}
      <span title={last.usage && words.context(tokens(last.usage.input_tokens))}>
        <RelativeTime at={last.createdAt} />
        {told.map((part) => ` · ${part}`)}
      </span>
    </div>
  );
}

/** From here on the model knows what was said before in short only. */
export function Compacted() {
  return (
    <p className="flex items-center gap-1.5 text-xs text-faint" title={words.compactedHint}>
      <Info aria-hidden className="size-3.5" />
      {words.compacted}
    </p>
  );
}
