import { CircleCheck, CircleDashed, Download } from 'lucide-react';
import { useCheck } from '@/api/system';
import type { JobItem, Schemas } from '@/api/types';
import { useWorkers } from '@/api/workers';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { cx } from '@/components/cx';
import { RunningWork } from '@/components/jobs/JobWork';
import { KeyValues } from '@/components/KeyValues';
import { StatusBadge } from '@/components/StatusBadge';
import { engines as text } from '@/text/engines';
import { installTarget, TARGET_OF } from './installs';
import { useInstall } from './useInstall';

interface EngineCardProps {
  engine: Schemas['EngineItem'];
  installs: readonly JobItem[];
  mayInstall: boolean;
  /** Its parameters are shown. */
  open: boolean;
  onOpen: () => void;
}

const BUILT_IN = 'simulated';

/** Hosts of live workers that can start the engine, with the versions there. */
function useHosts(engine: string): string[] {
  const { data } = useWorkers();
  const found = (data ?? [])
    .filter((worker) => worker.alive && engine in (worker.capabilities.engines ?? {}))
    .map((worker) => `${worker.host} (${worker.capabilities.engines?.[engine]})`);
  return [...new Set(found)];
}

/** What the doctor says of the engine on the service's machine. */
function useFinding(engine: string) {
  const { data } = useCheck();
  return data?.find((check) => check.name === 'engine' && check.detail.startsWith(`${engine} `));
}

export function EngineCard({ engine, installs, mayInstall, open, onOpen }: EngineCardProps) {
  const { install, busy } = useInstall();
  const hosts = useHosts(engine.engine);
  const finding = useFinding(engine.engine);
  const name = text.names[engine.engine] ?? engine.engine;
  const builtIn = engine.engine === BUILT_IN;
  const target = TARGET_OF[engine.engine];
  const has = Boolean(engine.installed_version) || finding?.status === 'good';
  const running = installs.find(
    (job) => (job.status === 'running' || job.status === 'queued') && installTarget(job) === target && target,
  );
  const hint = builtIn
    ? text.provideSimulated
    : (finding?.hint ?? (engine.engine === 'tensorrt-llm' && !has ? text.provideTensorRt : undefined));
  const state = builtIn ? text.builtIn : engine.installed_version ? text.installed : has ? text.onPath : undefined;
  return (
    <section
      aria-label={name}
      className={cx(
        'flex min-w-0 flex-col rounded-lg border bg-surface',
        open ? 'border-accent ring-1 ring-accent' : 'border-line',
      )}
    >
      <header className="flex min-h-10 items-center gap-2 border-b border-line px-3 py-1">
        <h2 className="min-w-0 truncate font-semibold">{name}</h2>
        <span className="ml-auto shrink-0" title={text.hereHelp}>
          {state ? (
            <Badge tone="ok" icon={<CircleCheck aria-hidden className="size-3.5 shrink-0" />}>
              {state}
            </Badge>
          ) : (
            <Badge icon={<CircleDashed aria-hidden className="size-3.5 shrink-0" />}>{text.notInstalled}</Badge>
          )}
        </span>
      </header>
      <div className="flex-1 space-y-2 p-3">
        <KeyValues
          pairs={[
            !builtIn && { label: text.installedVersion, value: engine.installed_version },
            { label: <span title={text.catalogueHelp}>{text.catalogue}</span>, value: engine.catalogue_version },
            engine.launcher.length > 0 && { label: text.launcher, value: engine.launcher.join(' '), mono: true },
            {
              label: text.onHosts,
              value: hosts.length ? hosts.join(', ') : <span className="text-faint">{text.noHosts}</span>,
            },
          ]}
        />
        {hint && (
          <p className="text-xs text-muted [overflow-wrap:anywhere]">{hint.charAt(0).toUpperCase() + hint.slice(1)}</p>
        )}
        {running && (
          <div className="flex min-w-0 items-center gap-2 text-xs">
            <StatusBadge state={running.status} />
            {running.status === 'running' && <RunningWork job={running} />}
          </div>
        )}
      </div>
      <footer className="flex flex-wrap items-center gap-2 px-3 pb-3">
        <Button size="sm" aria-pressed={open} aria-label={text.show(name)} onClick={onOpen}>
          {text.parameterCount(engine.parameters)}
        </Button>
        {mayInstall && target && (
          <Button
            size="sm"
            className="ml-auto"
            busy={busy}
            disabled={Boolean(running)}
            icon={<Download aria-hidden className="size-3.5" />}
            onClick={() => void install(target)}
          >
            {engine.installed_version ? text.installAgain : `${text.install} ${text.targets[target]?.[0] ?? target}`}
          </Button>
        )}
      </footer>
    </section>
  );
}
