import type { Gpu } from '@/api/types';
import { Sparkline } from '@/components/Sparkline';
import { bytes, percent } from '@/format';
import { dashboard as text } from '@/text/dashboard';
import { KEPT, useGpuHistory } from './gpuHistory';
import { Meter } from './Meter';

const mib = (value: number) => bytes(value * 1024 * 1024);

/** One GPU: how much of it and of its memory is used, now and of late. */
export function GpuTile({ gpu }: { gpu: Gpu }) {
  const history = useGpuHistory().get(gpu.uuid) ?? [];
  const name = text.gpu(gpu.index, gpu.name);
  const { utilization_percent: use } = gpu;
  const useWords = use === null ? null : percent(use / 100);
  return (
    <section aria-label={name} className="min-w-0 space-y-1.5 rounded-md border border-line p-2">
      <h3
        className="truncate text-xs font-medium"
        title={`${gpu.name}, ${gpu.uuid}, ${text.driver(gpu.driver, gpu.compute_capability)}`}
      >
        {name}
      </h3>
      <Meter
        label={text.utilisation}
        help={use === null ? text.utilisationUnsaid : undefined}
        share={use === null ? null : use / 100}
        words={useWords}
      />
      {use !== null && (
        <Sparkline
          values={history.map((reading) => reading.utilization)}
          max={100}
          places={KEPT}
          label={text.sparkline(text.utilisation, useWords ?? '')}
        />
      )}
      <Meter
        label={text.gpuMemory}
        share={gpu.memory_used_mib / (gpu.memory_total_mib || 1)}
        words={text.memoryOf(mib(gpu.memory_used_mib), mib(gpu.memory_total_mib))}
      />
      <Sparkline
        values={history.map((reading) => reading.memory)}
        max={1}
        places={KEPT}
        label={text.sparkline(text.gpuMemory, percent(gpu.memory_used_mib / (gpu.memory_total_mib || 1)))}
      />
    </section>
  );
}
