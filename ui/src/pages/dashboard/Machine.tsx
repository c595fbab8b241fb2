import { useEffect } from 'react';
import { useHost, useInfo } from '@/api/system';
import type { Gpus, HostFacts } from '@/api/types';
import { Panel } from '@/components/Card';
import { Loaded } from '@/components/States';
import { bytes, number } from '@/format';
import { dashboard as text } from '@/text/dashboard';
import { GpuTile } from './GpuTile';
import { noteGpus } from './gpuHistory';
import { Meter } from './Meter';

/** The service's machine, read again with the stream's signs of life. */
export function Machine() {
  const host = useHost();
  const info = useInfo();
  const { data, dataUpdatedAt } = host;
  useEffect(() => {
    if (data?.host.gpus.kind === 'found') noteGpus(data.host.gpus.gpus, dataUpdatedAt);
  }, [data, dataUpdatedAt]);
  const found = data?.host.gpus.kind === 'found' ? data.host.gpus.gpus.length : 0;
  return (
    <Panel
      title={text.machine}
      note={[info.data?.host, data?.host.cpu, data && text.cores(data.host.cores), found > 0 && text.gpuCount(found)]
        .filter(Boolean)
        .join(' · ')}
    >
      <Loaded of={host}>
        {(seen) => (
          <div className="space-y-3">
            <Meters host={seen.host} />
            <GpuPart gpus={seen.host.gpus} />
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function Meters({ host }: { host: HostFacts }) {
  const { memory_total_bytes: all, memory_free_bytes: free, load_1m, cores, disk_free_bytes } = host;
  const used = all !== null && free !== null ? all - free : null;
  return (
    <div className="grid gap-x-6 gap-y-2 sm:grid-cols-3">
      <Meter
        label={text.load}
        help={text.loadHelp}
        share={load_1m === null ? null : load_1m / Math.max(1, cores)}
        words={load_1m === null ? null : text.loadOf(number(load_1m), cores)}
      />
      <Meter
        label={text.memory}
        share={used === null || !all ? null : used / all}
        words={used === null ? null : text.memoryOf(bytes(used), bytes(all))}
      />
      <Meter
        label={text.disk}
        share={null}
        words={disk_free_bytes === null ? null : text.diskFree(bytes(disk_free_bytes))}
      />
    </div>
  );
}

function GpuPart({ gpus }: { gpus: Gpus }) {
  if (gpus.kind !== 'found') {
    if (gpus.kind === 'broken') return <p className="text-warn">{text.brokenGpus(gpus.reason)}</p>;
    return <p className="text-muted">{text.noGpus(gpus.reason)}</p>;
  }
  return (
    <div className="space-y-2">
      <div className="grid grid-cols-[repeat(auto-fill,minmax(14rem,1fr))] gap-2">
        {gpus.gpus.map((gpu) => (
          <GpuTile key={gpu.uuid} gpu={gpu} />
        ))}
      </div>
      <p className="text-xs text-faint">{text.gpuUnsaid}</p>
    </div>
  );
}
