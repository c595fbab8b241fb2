import { describe, expect, test } from 'vitest';
import { gain, levelName, objectiveFigure, objectiveName, resolveObjective } from './index';

describe('objectives', () => {
  test('stand for a metric with its defaults', () => {
    expect(resolveObjective('minimize_ttft')).toEqual({
      metric: 'ttft',
      stat: 'mean',
      goal: 'minimize',
      across: 'worst',
      perGpu: false,
    });
    expect(resolveObjective('maximize_goodput_per_gpu')).toMatchObject({
      metric: 'goodput',
      across: 'best',
      perGpu: true,
    });
    expect(objectiveName(resolveObjective({ metric: 'ttft', stat: 'p99' }))).toBe('Time to first token p99');
    expect(objectiveFigure(resolveObjective('maximize_throughput_per_gpu'), 44.4)).toBe('44.4 tok/s/GPU');
  });
  test('gain is above 0 for what is better, whichever way that is', () => {
    expect(gain({ goal: 'minimize' }, 80, 100)).toBeCloseTo(0.25);
    expect(gain({ goal: 'maximize' }, 80, 100)).toBeCloseTo(-0.2);
    expect(gain({ goal: 'maximize' }, 80, 0)).toBeUndefined();
  });
});

// As `every_kind_of_level_has_a_short_name` in `crates/tuner-core/src/task/level.rs`.
test.each([
  [{ concurrency: 8 }, 'c8'],
  [{ rate: 2.5 }, '2.5/s poisson'],
  [{ rate: 2, arrival: 'gamma', burstiness: 0.5 }, '2/s gamma 0.5'],
  [{ rate: 2, ramp_to: 20 }, '2→20/s linear poisson'],
  [{ rate: 2, ramp_to: 20, ramp: 'exponential', arrival: 'constant' }, '2→20/s exponential constant'],
  [{ burst: 50, every_s: 10 }, '50 every 10 s'],
  [{ arrival: 'trace', time_scale: 0.5, keep: 0.1 }, 'trace 10% ×2'],
  [{ users: 15, rate: 1.5 }, '15 users 1.5/s'],
  [{ concurrency: 8, think_s: { mean_s: 5 } }, 'c8 think exp:5 s'],
] as const)('a level has a short name: %o is %s', (level, name) => {
  expect(levelName(level as never)).toBe(name);
});
