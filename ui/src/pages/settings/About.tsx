import { useHost, useInfo } from '@/api/system';
import { Panel } from '@/components/Card';
import { CopyButton } from '@/components/Copy';
import { KeyValues } from '@/components/KeyValues';
import { Loaded } from '@/components/States';
import { Elapsed, RelativeTime } from '@/components/Time';
import { bytes, count } from '@/format';
import { common } from '@/text/common';
import { libraries, settings as text } from '@/text/settings';

/** What this service is, and whose work it is. */
export function About() {
  const info = useInfo();
  const host = useHost();
  const seen = host.data?.process;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Panel title={text.about}>
        <Loaded of={info}>
          {(found) => (
            <KeyValues
              pairs={[
                { label: text.version, value: found.version },
                { label: text.host, value: found.host },
                { label: text.pid, value: found.pid },
                { label: text.started, value: <RelativeTime at={found.started_at} exact /> },
                { label: text.uptime, value: <Elapsed from={found.started_at} /> },
                { label: text.dataDir, value: found.data_dir, mono: true },
                seen !== undefined && { label: text.memory, value: bytes(seen.memory_bytes) },
                seen !== undefined && { label: text.threads, value: count(seen.threads) },
                seen !== undefined && { label: text.files, value: count(seen.open_files) },
                { label: text.api, value: <Place path="/api/openapi.json" /> },
                { label: text.metrics, value: <Place path="/metrics" /> },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <Panel title={text.licence}>
        <p>{text.licenceText}</p>
        <h3 className="mb-1 mt-3 font-medium">{text.libraries}</h3>
        <KeyValues pairs={libraries.map(([name, licence]) => ({ label: name, value: licence }))} />
      </Panel>
    </div>
  );
}

function Place({ path }: { path: string }) {
  return (
    <span className="flex items-center gap-1 font-mono text-xs">
      {path}
      <CopyButton text={window.location.origin + path} label={`${common.copy}: ${path}`} />
    </span>
  );
}
