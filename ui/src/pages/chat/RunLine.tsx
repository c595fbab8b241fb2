import { Hand, LoaderCircle, OctagonX, RotateCw, TriangleAlert } from 'lucide-react';
import { useGoOn } from '@/api/chat';
import { toastError } from '@/app/toasts';
import { Button } from '@/components/Button';
import { chat } from '@/text/chat';
import { useChat } from './context';
import { liveRun, type Talk } from './state/talk';
import { endOf } from './state/turns';

const words = chat.run;

/** Where the run is, below the newest message. */
export function RunLine({ talk }: { talk: Talk }) {
  const run = liveRun(talk);
  if (!run) {
    const end = endOf(talk);
    if (!end) return null;
    const { ended, by } = end;
    const text = ended === 'stopped' ? words.stopped(by) : words[ended];
    return <Ended icon={ended === 'stopped' ? 'stop' : 'warn'}>{text}</Ended>;
  }
  if (talk.retrying) return <Line icon="warn">{words.retrying(talk.retrying.attempt, talk.retrying.why)}</Line>;
  if (run.stop) return <Line icon="busy">{words.stopping}</Line>;
  switch (run.state) {
    case 'queued':
    case 'thinking':
      return talk.unfinished?.text ? null : <Line icon="busy">{run.steps === 0 ? words.queued : words.thinking}</Line>;
    case 'acting':
      return <Line icon="busy">{words.acting}</Line>;
    default:
      return <Line icon="wait">{words.awaiting_authorization}</Line>;
  }
}

const ICONS = {
  busy: <LoaderCircle aria-hidden className="size-4 animate-spin text-accent" />,
  wait: <Hand aria-hidden className="size-4 text-warn" />,
  stop: <OctagonX aria-hidden className="size-4 text-muted" />,
  warn: <TriangleAlert aria-hidden className="size-4 text-warn" />,
};

function Line({ icon, children }: { icon: keyof typeof ICONS; children: React.ReactNode }) {
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2 text-muted [overflow-wrap:anywhere]">
      {ICONS[icon]}
      <span className="min-w-0">{children}</span>
    </div>
  );
}

/** The run did not come to its end: it may go on without a new message. */
function Ended({ icon, children }: { icon: keyof typeof ICONS; children: React.ReactNode }) {
  const { session, may } = useChat();
  const goOn = useGoOn(session);
  return (
    <Line icon={icon}>
      {children}
      {may && (
        <Button
          size="sm"
          className="ml-2"
          busy={goOn.isPending}
          icon={<RotateCw aria-hidden className="size-3.5" />}
          onClick={() => goOn.mutate(null, { onError: (error) => toastError(error) })}
        >
          {words.goOn}
        </Button>
      )}
    </Line>
  );
}
