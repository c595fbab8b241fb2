import { ChevronsUp, RotateCw } from 'lucide-react';
import type { ApiError } from '@/api/error';
import type { Attempt } from '@/api/types';
import { Button } from '@/components/Button';
import { type Find, LogView } from '@/components/LogView';
import { Empty, ErrorView, Skeleton } from '@/components/States';
import { bytes } from '@/format';
import { Pick } from '@/plots/tools';
import { experiment as words } from '@/text/experiment';
import { shownLines } from './logBuffer';
import { useLog } from './useLog';

interface LogTabProps {
  task: string;
  number: number;
  attempts: readonly Attempt[];
  attempt: number | undefined;
  onAttempt: (attempt: number) => void;
  /** A search that is shared with other logs. */
  find?: Find;
  height?: string;
  /** Where it is not, it can be read again. Default: while it grows. */
  isFollowed?: boolean;
}

/** The engine's log: its end first, and as much before it as is asked for. */
export function LogTab(props: LogTabProps) {
  const { task, number, attempts, attempt, onAttempt, find, height = 'calc(100vh - 20rem)', isFollowed = true } = props;
  const last = attempts.at(-1);
  const isOpen = last === undefined || last.ended_at === undefined;
  const version = `${last?.number} ${last?.evidence.log_path}`;
  const log = useLog({ task, number, attempt, version, isFollowed });
  const choice = attempts.length > 1 && (
    <Pick
      label={words.chooseAttempt}
      value={String(attempt ?? log.attempt ?? attempts.length)}
      choices={attempts.map((one) => ({ value: String(one.number), label: words.attempt(one.number) }))}
      onChange={(value) => onAttempt(Number(value))}
    />
  );
  if (log.error) {
    const isMissing = (log.error as ApiError).status === 404;
    return (
      <>
        {choice}
        {isMissing ? (
          <Empty title={isOpen ? words.noLogYet : words.noLog} text={isOpen ? words.noLogYetHint : words.noLogHint} />
        ) : (
          <ErrorView error={log.error} onRetry={log.again} />
        )}
      </>
    );
  }
  if (!log.buffer) return <Skeleton lines={8} />;
  const { offset, next, isCut } = log.buffer;
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
        {choice}
        <span>{words.logPart(bytes(next - offset), bytes(Math.max(log.size, next)))}</span>
        {offset > 0 ? (
          <Button
            size="sm"
            busy={log.isReading}
            icon={<ChevronsUp aria-hidden className="size-3.5" />}
            onClick={() => void log.readEarlier()}
          >
            {words.logEarlier}
          </Button>
        ) : (
          <span>{words.logWhole}</span>
        )}
        {isCut && <span>{words.logCut}</span>}
        <span role="status" className="ml-auto">
          {log.isLost ? words.logLost : log.ended ? words.logEnded : isFollowed ? words.logLive : words.logStill}
        </span>
        {!log.ended && !isFollowed && (
          <Button size="sm" icon={<RotateCw aria-hidden className="size-3.5" />} onClick={log.again}>
            {words.logAgain}
          </Button>
        )}
      </div>
      <LogView
        key={`${number}/${log.attempt}`}
        label={words.log}
        lines={shownLines(log.buffer)}
        find={find}
        live={!log.ended && isFollowed}
        fileName={`experiment-${number}-attempt-${log.attempt}.log`}
        height={height}
      />
    </div>
  );
}
