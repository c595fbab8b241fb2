import { LoaderCircle, RadioTower, Unplug, WifiOff } from 'lucide-react';
import { Button } from '@/components/Button';
import { cx } from '@/components/cx';
import { Tooltip } from '@/components/Tooltip';
import { type Connection, connectionLostAt, reconnectNow, useConnection } from '@/events';
import { timeOfDay } from '@/format';
import { shell } from '@/text/shell';

const LOOKS: Record<Connection, [typeof Unplug, string]> = {
  connecting: [LoaderCircle, 'text-muted'],
  online: [RadioTower, 'text-ok'],
  reconnecting: [LoaderCircle, 'text-warn'],
  offline: [WifiOff, 'text-bad'],
  refused: [Unplug, 'text-warn'],
};

/** Whether the page follows the server. */
export function ConnectionState() {
  const state = useConnection();
  const [Icon, colour] = LOOKS[state];
  return (
    <Tooltip text={shell.connectionHelp[state]}>
      <span role="status" tabIndex={0} className={cx('flex h-7 items-center gap-1.5 rounded-md px-2 text-xs', colour)}>
        <Icon aria-hidden className={cx('size-4', Icon === LoaderCircle && 'animate-spin')} />
        <span className="sr-only sm:not-sr-only">{shell.connection[state]}</span>
      </span>
    </Tooltip>
  );
}

/** Says that what is shown may be old. */
export function OfflineBanner() {
  const state = useConnection();
  if (state !== 'offline') return null;
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-bad/40 bg-bad-soft px-4 py-1.5 text-bad"
    >
      <WifiOff aria-hidden className="size-4" />
      <span>{shell.offlineSince(timeOfDay(connectionLostAt()))}</span>
      <Button size="sm" className="ml-auto" onClick={reconnectNow}>
        {shell.tryNow}
      </Button>
    </div>
  );
}
