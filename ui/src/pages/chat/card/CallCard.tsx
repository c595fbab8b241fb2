import { ChevronRight } from 'lucide-react';
import { memo, useEffect, useId, useMemo, useRef, useState } from 'react';
import { cx } from '@/components/cx';
import { Elapsed, RelativeTime } from '@/components/Time';
import { chat } from '@/text/chat';
import { useChat } from '../context';
import { argumentsOf } from '../state/read';
import { isRecord } from '../state/result';
import { type Call, isSettled } from '../state/talk';
import { isChart } from '../state/turns';
import { Arguments, argumentsLine } from './Arguments';
import { ChartResult } from './ChartResult';
import { DecideView } from './DecideView';
import { ArgumentsDiff, EffectsView } from './EffectsView';
import { StateIcon, StateWord } from './look';
import { Plan } from './Plan';
import { ResultView } from './ResultView';

interface CallCardProps {
  call: Call;
  /** What it tells while it runs. */
  progress?: unknown;
  shadow?: string;
  /** Somebody came for this card. */
  wanted?: boolean;
  /** In a line, among others that only look. */
  slim?: boolean;
}

/** A call: what it does, with what, by whose leave, and what came of it. Drawn from what the server knows alone. */
export const CallCard = memo(function CallCard({ call, progress, shadow, wanted, slim }: CallCardProps) {
  const waits = call.state === 'waiting';
  const shows = isChart(call);
  const [open, setOpen] = useState(false);
  const bodyId = useId();
  const card = useRef<HTMLElement>(null);
  useEffect(() => {
    if (wanted) card.current?.scrollIntoView({ block: 'center' });
  }, [wanted]);
  const bad = call.state === 'failed' || call.state === 'unknown' || call.state === 'expired';
  const isOpen = waits || open;
  const summary = call.effects?.summary;
  return (
    <section
      ref={card}
      aria-label={chat.card.region(call.tool)}
      data-call={call.id}
      data-state={call.state}
      className={cx(
        'min-w-0',
        !slim && 'rounded-lg border bg-surface',
        !slim && (waits ? 'border-warn/60' : bad ? 'border-bad/40' : 'border-line'),
        wanted && 'outline-2 outline-offset-2 outline-accent',
      )}
    >
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={bodyId}
        disabled={waits}
        onClick={() => setOpen(!open)}
        className={cx(
          'flex w-full min-w-0 flex-wrap items-center gap-x-2 gap-y-0.5 rounded-lg text-left disabled:cursor-default',
          slim ? 'px-2 py-1' : 'px-3 py-2',
          !waits && 'hover:bg-hover',
        )}
      >
        <StateIcon state={call.state} />
        <span className="min-w-0 font-medium [overflow-wrap:anywhere]">{summary ?? call.tool}</span>
        <code className="min-w-0 truncate font-mono text-xs text-muted">
          {call.tool}
          {!waits && <ArgumentsInLine args={call.args} />}
        </code>
        <span className="ml-auto flex shrink-0 items-center gap-2">
          {(call.state === 'running' || (isSettled(call) && call.startedAt)) && !slim && (
            <span className="text-xs text-faint">
              <Elapsed from={call.startedAt} to={call.endedAt} />
            </span>
          )}
          {slim && call.state === 'executed' ? (
            <span className="sr-only">{chat.states.executed}</span>
          ) : (
            <StateWord state={call.state} />
          )}
          {!waits && (
            <ChevronRight aria-hidden className={cx('size-4 text-faint transition-transform', isOpen && 'rotate-90')} />
          )}
        </span>
      </button>
      {call.state === 'running' && <Progress progress={progress} />}
      {shows && call.result && (
        <div className="border-t border-line p-2">
          <ChartResult told={call.result} />
        </div>
      )}
      <div id={bodyId} hidden={!isOpen}>
        {isOpen && <Body call={call} shadow={shadow} />}
      </div>
    </section>
  );
});

function ArgumentsInLine({ args }: { args: unknown }) {
  const line = argumentsLine(args);
  return line ? <span className="text-faint">({line})</span> : null;
}

function Progress({ progress }: { progress: unknown }) {
  const text = isRecord(progress) ? progress.text : progress;
  if (typeof text !== 'string' || text === '') return null;
  return <p className="px-3 pb-2 pl-9 text-xs text-muted">{text}</p>;
}

function Body({ call, shadow }: { call: Call; shadow?: string }) {
  const isPlan = call.tool === 'propose_plan' && isRecord(call.args);
  const { effects, decided } = call;
  const hasEffects = effects?.would !== undefined || effects?.warning !== undefined;
  const proposed = useMemo(() => (decided?.proposed ? argumentsOf(decided.proposed) : undefined), [decided?.proposed]);
  return (
    <div className="space-y-3 border-t border-line px-3 py-2.5">
      {call.scope && <ScopeLine call={call} />}
      {isPlan ? (
        <Plan call={call} />
      ) : (
        hasArguments(call.args) && (
          <Part title={chat.card.arguments}>
            <Arguments args={call.args} />
          </Part>
        )
      )}
      {proposed !== undefined && (
        <Part title={chat.card.editedBy(decided?.by ?? chat.card.somebody)}>
          <ArgumentsDiff before={proposed} after={call.args} />
        </Part>
      )}
      {hasEffects && !isPlan && effects && (
        <Part title={chat.card.effects} note={chat.card.foretold}>
          <EffectsView effects={effects} />
        </Part>
      )}
      {shadow && <p className="text-muted">{chat.card.shadow(shadow)}</p>}
      {call.state === 'waiting' ? <DecideView call={call} /> : <Outcome call={call} />}
    </div>
  );
}

/** An empty map says nothing. */
function hasArguments(args: unknown): boolean {
  return !isRecord(args) || Object.keys(args).length > 0;
}

function Part({ title, note, children }: { title: string; note?: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <h4 className="mb-1 text-xs font-semibold text-muted">
        {title}
        {note && <span className="ml-1.5 font-normal text-faint">{note}</span>}
      </h4>
      {children}
    </div>
  );
}

function ScopeLine({ call }: { call: Call }) {
  const { scopes } = useChat();
  const text = scopes?.find((one) => one.scope === call.scope)?.text;
  return (
    <div className="flex flex-wrap items-baseline gap-x-2 gap-y-0.5">
      <span>
        <span className="text-muted">{chat.card.needs} </span>
        <code className="font-mono text-xs font-medium">{call.scope}</code>
        {text && <span className="text-muted">, {chat.card.scopeOf(text)}</span>}
      </span>
      {call.state === 'waiting' && call.expiresAt && (
        <span className="text-xs text-faint">
          {chat.card.expires} <RelativeTime at={call.expiresAt} />
        </span>
      )}
    </div>
  );
}

/** Who decided, and what came of it. */
function Outcome({ call }: { call: Call }) {
  const { decided, state, result } = call;
  const who = decided && decidedText(decided.allowed, decided.via, decided.by);
  const isTask = call.tool === 'start_task' && (state === 'executed' || state === 'cancelled');
  return (
    <>
      {who && (
        <p className="text-muted [overflow-wrap:anywhere]">
          {who}
          {decided?.reason && <>: {decided.reason}</>}
          {decided && (
            <span className="text-faint">
              {' '}
              · <RelativeTime at={decided.at} />
            </span>
          )}
        </p>
      )}
      {state === 'unknown' && <p className="text-warn">{chat.card.unknownHelp}</p>}
      {isTask && <p className="text-muted">{chat.card.goesOnHelp}</p>}
      {result && (
        <Part title={state === 'failed' || state === 'unknown' ? chat.card.error : chat.card.result}>
          <ResultView call={call.id} told={result} />
        </Part>
      )}
    </>
  );
}

function decidedText(allowed: boolean, via: keyof typeof chat.card.allowed, by = chat.card.somebody): string {
  const words = (allowed ? chat.card.allowed : chat.card.denied)[via];
  return typeof words === 'function' ? words(by) : words;
}
