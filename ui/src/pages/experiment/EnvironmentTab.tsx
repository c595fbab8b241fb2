import type { Attempt } from '@/api/types';
import { Panel } from '@/components/Card';
import { KeyValues, type Pair } from '@/components/KeyValues';
import { Empty } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { count, duration, number } from '@/format';
import { experiment as words } from '@/text/experiment';

interface EnvironmentTabProps {
  attempts: readonly Attempt[];
  levelName: (level: number) => string;
}

/** Where each attempt ran, and with what. */
export function EnvironmentTab({ attempts, levelName }: EnvironmentTabProps) {
  if (attempts.length === 0) return <Empty title={words.noAttempts} />;
  return (
    <div className="space-y-3">
      {[...attempts].reverse().map((attempt) => (
        <div key={attempt.number} className="grid gap-3 xl:grid-cols-2">
          <Panel title={attempts.length === 1 ? words.machine : `${words.machine} · ${words.attempt(attempt.number)}`}>
            <KeyValues pairs={machine(attempt)} />
          </Panel>
          <Client attempt={attempt} levelName={levelName} />
        </div>
      ))}
    </div>
  );
}

function machine({ evidence, started_at, ended_at }: Attempt): Pair[] {
  return [
    { label: words.host, value: evidence.host },
    { label: words.hardware, value: evidence.hardware },
    { label: words.gpus, value: evidence.gpus === undefined ? undefined : count(evidence.gpus) },
    { label: words.engineVersion, value: evidence.engine_version },
    { label: words.servedModel, value: evidence.served_model, mono: true },
    { label: words.address, value: evidence.base_url, mono: true },
    { label: words.deployment, value: evidence.deployment, mono: true },
    { label: words.worker, value: evidence.worker },
    { label: words.begun, value: <RelativeTime at={started_at} exact /> },
    { label: words.ended, value: ended_at && <RelativeTime at={ended_at} exact /> },
    { label: words.readyAfter, value: evidence.ready_s === undefined ? undefined : duration(evidence.ready_s) },
    { label: words.stoppedIn, value: evidence.stop_s === undefined ? undefined : duration(evidence.stop_s) },
    { label: words.logFile, value: evidence.log_path, mono: true },
  ];
}

/** `schedule_lag_p99_ms` as words and unit. */
function named(key: string): [name: string, unit: string] {
  const found = /^(.*)_(ms|tok_s|s)$/.exec(key);
  const unit = found?.[2] === 'tok_s' ? 'tok/s' : (found?.[2] ?? '');
  return [(found?.[1] ?? key).replaceAll('_', ' '), unit];
}

function Client({ attempt, levelName }: { attempt: Attempt; levelName: (level: number) => string }) {
  const measured = attempt.measurements.filter((m) => Object.keys(m.evidence ?? {}).length > 0);
  if (measured.length === 0) return null;
  return (
    <Panel title={words.client}>
      <p className="mb-1 text-muted">{words.clientHelp}</p>
      {measured.map((m) => (
        <details key={`${m.level}/${m.repeat}`} className="border-b border-line/60 py-1 last:border-0">
          <summary className="cursor-pointer font-medium">
            {levelName(m.level)}
            {m.repeat > 0 && ` · ${words.repeat(m.repeat + 1)}`}
          </summary>
          <div className="pt-1">
            <KeyValues
              pairs={Object.entries(m.evidence ?? {}).map(([key, value]) => {
                const [name, unit] = named(key);
                return { label: name, value: `${number(value, 4)}${unit ? ` ${unit}` : ''}` };
              })}
            />
          </div>
        </details>
      ))}
    </Panel>
  );
}
