import type { WorkerItem } from '@/api/types';
import { Button } from '@/components/Button';
import { CopyButton } from '@/components/Copy';
import { Drawer } from '@/components/Dialog';
import { KeyValues } from '@/components/KeyValues';
import { RelativeTime } from '@/components/Time';
import { gpuSummary, workerName } from '@/components/workers/describe';
import { useWorkerActions } from '@/components/workers/useWorkerActions';
import { WorkerDoing } from '@/components/workers/WorkerDoing';
import { WorkerState } from '@/components/workers/WorkerState';
import { workers as text } from '@/text/workers';
import { Slots } from './Slots';
import { Version } from './WorkerTable';

interface WorkerDrawerProps {
  worker: WorkerItem;
  serverVersion: string | undefined;
  mayChange: boolean;
  onClose: () => void;
}

/** Everything of one worker, and what it may be asked. */
export function WorkerDrawer({ worker, serverVersion, mayChange, onClose }: WorkerDrawerProps) {
  const { gpus, engines = {}, backends = [], labels = {} } = worker.capabilities;
  const engineWords = Object.entries(engines).map(([name, version]) => `${name} (${version})`);
  return (
    <Drawer
      open
      onOpenChange={(open) => open || onClose()}
      title={workerName(worker)}
      actions={mayChange ? <Actions worker={worker} onGone={onClose} /> : undefined}
    >
      <KeyValues
        pairs={[
          { label: text.state, value: <WorkerState worker={worker} /> },
          { label: text.doing, value: <WorkerDoing worker={worker} wrap /> },
          { label: text.slots, value: <Slots worker={worker} /> },
          { label: text.host, value: worker.host },
          { label: text.pid, value: worker.pid },
          { label: text.gpus, value: <Lines of={gpuSummary(gpus)} none={text.noGpus} /> },
          { label: text.engines, value: <Lines of={engineWords} none={text.noEngines} /> },
          { label: text.backends, value: backends.join(', ') },
          {
            label: text.labels,
            value: Object.entries(labels)
              .map((pair) => pair.join('='))
              .join(', '),
          },
          { label: text.version, value: <Version worker={worker} server={serverVersion} /> },
          { label: text.heartbeat, value: <RelativeTime at={worker.heartbeat_at} /> },
          { label: text.since, value: <RelativeTime at={worker.registered_at} exact /> },
          {
            label: text.id,
            mono: true,
            value: (
              <span className="flex items-center gap-1">
                {worker.id}
                <CopyButton text={worker.id} />
              </span>
            ),
          },
        ]}
      />
      <p className="mt-3 text-xs text-faint">{text.loadUnsaid}</p>
    </Drawer>
  );
}

function Lines({ of, none }: { of: string[]; none: string }) {
  if (of.length === 0) return <span className="text-faint">{none}</span>;
  return (
    <ul>
      {of.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Actions({ worker, onGone }: { worker: WorkerItem; onGone: () => void }) {
  const { ask, remove, busy } = useWorkerActions();
  if (!worker.alive) {
    return (
      <Button
        tone="danger"
        onClick={() => {
          remove(worker);
          onGone();
        }}
      >
        {text.remove}
      </Button>
    );
  }
  const wishes = (['run', 'drain', 'restart', 'stop'] as const).filter((asked) => asked !== worker.asked);
  return wishes.map((asked) => (
    <Button
      key={asked}
      busy={busy}
      tone={asked === 'stop' ? 'danger' : 'plain'}
      onClick={() => void ask(worker, asked)}
    >
      {text.ask[asked]}
    </Button>
  ));
}
