import { describe, expect, test } from 'vitest';
import type { Capabilities, WorkerItem } from '@/api/types';
import { jobProgress } from './progress';
import { type Needs, needsInWords, unmet, waitReason } from './waits';

const H100 = { model: 'NVIDIA H100 80GB HBM3', memory_mib: 81_559 };
const offer: Capabilities = {
  host: 'gpu-7',
  gpus: [H100, H100, { model: 'NVIDIA L4', memory_mib: 23_034 }],
  backends: ['local'],
  engines: { vllm: '0.32.0' },
  labels: { zone: 'a' },
};

/** The cases of `crates/tuner-store/src/jobs/needs.rs`. */
describe('what a worker lacks', () => {
  test.each<[Needs, string | null]>([
    [{}, null],
    [{ gpus: 3 }, null],
    [{ gpus: 4 }, '4 GPUs'],
    [{ gpus: 2, gpu_model: 'h100' }, null],
    [{ gpus: 3, gpu_model: 'H100' }, '3 H100 GPUs'],
    [{ gpus: 2, gpu_memory_mib: 80_000 }, null],
    [{ gpus: 3, gpu_memory_mib: 80_000 }, '3 GPUs of 78.1 GiB'],
    [{ backend: 'local', engine: 'vllm', host: 'gpu-7' }, null],
    [{ backend: 'docker' }, 'the backend docker'],
    [{ engine: 'sglang' }, 'the engine sglang'],
    [{ host: 'gpu-8' }, 'the host gpu-8'],
    [{ not_hosts: ['gpu-8'] }, null],
    [{ not_hosts: ['gpu-7'] }, 'a host other than gpu-7'],
    [{ labels: { zone: 'a' } }, null],
    [{ labels: { zone: 'b' } }, 'the label zone=b'],
  ])('%o', (needs, lack) => {
    expect(unmet(needs, offer)).toBe(lack);
  });

  test('needs are told in words', () => {
    expect(needsInWords({ gpus: 1, gpu_model: 'H100', engine: 'vllm' })).toEqual(['1 H100 GPU', 'the engine vllm']);
    expect(needsInWords({ gpus: 0 })).toEqual([]);
  });
});

describe('why a job waits', () => {
  const now = Date.parse('2026-11-28T12:00:00Z');
  const worker = (change: Partial<WorkerItem>) =>
    ({
      alive: true,
      asked: 'run',
      slots: 1,
      busy_slots: 0,
      free_gpus: 3,
      capabilities: offer,
      ...change,
    }) as WorkerItem;
  const why = (needs: Needs, workers: WorkerItem[], run_after_at = '2026-11-28T11:00:00Z', attempts = 0) =>
    waitReason({ needs: needs as Record<string, unknown>, run_after_at, attempts }, workers, now, (at) =>
      at.slice(11, 16),
    );

  test('each reason', () => {
    expect(why({}, [], '2026-11-28T12:05:00Z', 1)).toBe('tries again 12:05');
    expect(why({}, [], '2026-11-28T12:05:00Z', 0)).toBe('not before 12:05');
    expect(why({}, [])).toMatch('no worker is alive');
    expect(why({}, [worker({ alive: false })])).toMatch('no worker is alive');
    expect(why({ engine: 'sglang' }, [worker({})])).toBe('no live worker has the engine sglang');
    expect(why({}, [worker({ asked: 'drain' })])).toMatch('drain');
    expect(why({}, [worker({ busy_slots: 1 })])).toMatch('is busy');
    expect(why({ gpus: 2 }, [worker({ free_gpus: 1 })])).toMatch('is busy');
    expect(why({ gpus: 2 }, [worker({ free_gpus: 2 })])).toMatch('within seconds');
  });
});

describe('how far a job is', () => {
  const of = (progress: Record<string, unknown> | null) => jobProgress({ progress });
  test('by its kind', () => {
    expect(of(null)).toBeNull();
    expect(of({ step: 2, steps: 5, does: 'install x' })).toEqual({ text: 'Step 2 of 5: install x', share: 0.2 });
    expect(of({ bytes: 512, size: 1024 })).toEqual({ text: '512 B of 1.00 KiB', share: 0.5 });
    expect(of({ experiment: 7 })).toEqual({ text: 'experiment 7' });
    expect(of({ waiting_for: 'another process works on the task' })?.text).toMatch('another process');
  });
});
