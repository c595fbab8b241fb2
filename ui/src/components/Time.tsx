import { useEffect, useState } from 'react';
import { ago, dateTime, duration, secondsBetween, utc } from '@/format';
import { common } from '@/text/common';
import { Tooltip } from './Tooltip';

const clocks = new Set<(now: number) => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

/** The time of day, told anew each second to whoever shows it; nothing is asked of the server. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    clocks.add(setNow);
    ticking ??= setInterval(() => {
      const at = Date.now();
      for (const tell of clocks) tell(at);
    }, 1000);
    return () => {
      clocks.delete(setNow);
      if (clocks.size > 0) return;
      clearInterval(ticking);
      ticking = undefined;
    };
  }, []);
  return now;
}

/** A moment as "3 min. ago", or exactly; the tooltip has it in both zones. */
export function RelativeTime({ at, exact }: { at: string | number | null | undefined; exact?: boolean }) {
  const now = useNow();
  if (at === null || at === undefined) return <span className="text-faint">–</span>;
  const iso = new Date(at).toISOString();
  return (
    <Tooltip
      text={
        <>
          {dateTime(at)}
          <br />
          {utc(at)}
        </>
      }
    >
      <time dateTime={iso} className="whitespace-nowrap">
        {exact ? dateTime(at) : ago(at, now, common.justNow)}
      </time>
    </Tooltip>
  );
}

/** How long something took, or has taken so far. */
export function Elapsed({ from, to }: { from: string | null | undefined; to?: string | null }) {
  const now = useNow();
  if (!from) return <span className="text-faint">–</span>;
  return <span className="whitespace-nowrap">{duration(secondsBetween(from, to, now))}</span>;
}
