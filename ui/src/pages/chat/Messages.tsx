import { ArrowDown, ClockFading, LoaderCircle, RotateCw, TriangleAlert, X } from 'lucide-react';
import { useEffect, useMemo, useRef } from 'react';
import { Button, IconButton } from '@/components/Button';
import { cx } from '@/components/cx';
import { chat } from '@/text/chat';
import { type Sending, sendMessage, settleMessages } from './outbox';
import { RunLine } from './RunLine';
import type { Followed, Follower } from './state/follow';
import { liveRun, type Talk } from './state/talk';
import { queuedOf, turnsOf, waitingCalls } from './state/turns';
import { Compacted, Said, TurnView } from './TurnView';
import { UnfinishedView } from './Unfinished';
import { useStick } from './useStick';
import './chat.css';

const words = chat.messages;
/** Turns before these are drawn when they come into view. */
const DRAWN = 20;

interface MessagesProps {
  followed: Followed;
  follower: Follower;
  sending: readonly Sending[];
  wanted?: string;
  may: boolean;
}

/** What was said and done, the newest at the end. */
export function Messages({ followed: { talk }, follower, sending, wanted, may }: MessagesProps) {
  const turns = useMemo(() => turnsOf(talk), [talk]);
  const queued = useMemo(() => queuedOf(talk), [talk]);
  const area = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { atEnd, toEnd, release } = useStick(area, content);
  useEffect(() => {
    if (wanted) release();
  }, [wanted, release]);
  const sent = sending.length;
  useEffect(() => {
    if (sent > 0) toEnd();
  }, [sent, toEnd]);
  const busy = liveRun(talk) !== undefined;
  const compactedBefore = turns.findIndex(
    (turn) => talk.compactedAt && turn.user && Date.parse(turn.user.createdAt) >= Date.parse(talk.compactedAt),
  );
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={area}
        role="log"
        aria-label={words.region}
        aria-live="off"
        tabIndex={0}
        className="h-full overflow-y-auto overscroll-contain px-3 py-4 outline-none focus-visible:outline-2 focus-visible:-outline-offset-2 sm:px-5"
      >
        <div ref={content} className="mx-auto max-w-4xl space-y-5">
          {talk.earlier && <Earlier follower={follower} />}
          {turns.map((turn, index) => (
            <div key={turn.key} className={cx(index < turns.length - DRAWN && 'drawn-in-view')}>
              {index === compactedBefore && <Compacted />}
              <TurnView turn={turn} talk={talk} wanted={wanted} over={index < turns.length - 1 || !busy} may={may} />
            </div>
          ))}
          {talk.unfinished && <UnfinishedView unfinished={talk.unfinished} />}
          {talk.messages.size > 0 && <RunLine talk={talk} />}
          {queued.map((message) => (
            <div key={message.id} className="space-y-1">
              <Said message={message} />
              <p className="flex items-center justify-end gap-1.5 text-xs text-muted">
                <ClockFading aria-hidden className="size-3.5" />
                {words.queued}
              </p>
            </div>
          ))}
          {sending.map((one) => (
            <Outgoing key={one.key} one={one} />
          ))}
        </div>
      </div>
      {!atEnd && (
        <Button
          size="sm"
          className="absolute bottom-2 left-1/2 -translate-x-1/2 bg-raised shadow-pop"
          icon={<ArrowDown aria-hidden className="size-3.5" />}
          onClick={toEnd}
        >
          {words.toEnd}
        </Button>
      )}
      <Announcer talk={talk} />
    </div>
  );
}

function Earlier({ follower }: { follower: Follower }) {
  if (follower.atMost) return <p className="text-center text-xs text-faint">{words.earlierMost}</p>;
  return (
    <div className="text-center">
      <Button size="sm" onClick={() => follower.earlier()}>
        {words.earlier}
      </Button>
    </div>
  );
}

/** A message on its way, or one that was not heard. */
function Outgoing({ one }: { one: Sending }) {
  return (
    <div className="space-y-1">
      <div className="ml-auto w-fit max-w-[85%] rounded-lg bg-accent-soft px-3 py-2">
        <div className="whitespace-pre-wrap text-base [overflow-wrap:anywhere]">{one.text}</div>
      </div>
      {one.error === undefined ? (
        <p className="flex items-center justify-end gap-1.5 text-xs text-faint">
          <LoaderCircle aria-hidden className="size-3.5 animate-spin" />
          {words.sending}
        </p>
      ) : (
        <div role="alert" className="flex flex-wrap items-center justify-end gap-1.5 text-bad [overflow-wrap:anywhere]">
          <TriangleAlert aria-hidden className="size-4 shrink-0" />
          {words.notSent}: {one.error}
          <Button
            size="sm"
            icon={<RotateCw aria-hidden className="size-3.5" />}
            onClick={() => void sendMessage(one.session, one.text, one.key)}
          >
            {words.sendAgain}
          </Button>
          <IconButton
            size="sm"
            label={words.discard}
            icon={<X aria-hidden className="size-3.5" />}
            onClick={() => settleMessages([one.key])}
          />
        </div>
      )}
    </div>
  );
}

/** Says aloud what is new, once and in few words: the answer itself is read when somebody goes there. */
function Announcer({ talk }: { talk: Talk }) {
  const waits = waitingCalls(talk).length > 0;
  const done = !liveRun(talk) && [...talk.runs.values()].at(-1)?.state === 'completed';
  return (
    <p className="sr-only" aria-live="polite">
      {waits ? words.waits : done ? words.answered : ''}
    </p>
  );
}
