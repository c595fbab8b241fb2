/** Shapes of `crates/tuner-core/src/task/` and `plan/verdict.rs`; TaskSpec stands as far as pages read it. */
import type { components } from '../schema';
import type { Configuration, Failure, FlagValue } from './experiment';
import type { Metric, Stat } from './measure';

type Schemas = components['schemas'];

export type TaskStatus = 'pending' | 'running' | 'cancelling' | 'completed' | 'failed' | 'cancelled';

/** A factor, best over baseline; above 1 the best is better for objectives that are maximised. */
export interface RatioInterval {
  low: number;
  estimate: number;
  high: number;
  pairs: number;
}

export type Decision = 'better' | 'no_significant_difference' | 'worse' | 'not_verified';

export interface Verdict {
  baseline: number | null;
  best: number | null;
  recommended: number | null;
  decision: Decision;
  reason: string;
  improvement: RatioInterval | null;
  comparison?: { baseline_level: number; best_level: number; pairs: [baseline: number, best: number][] };
  confidence: number;
  search_end:
    | 'experiments'
    | 'wall_time'
    | 'gpu_seconds'
    | 'exhausted'
    | 'nothing_valid'
    | 'failures'
    | 'environment'
    | null;
  failure?: Failure;
}

export type Goal = 'minimize' | 'maximize';
export type ObjectiveName =
  | 'maximize_throughput'
  | 'maximize_throughput_per_gpu'
  | 'minimize_latency'
  | 'minimize_ttft'
  | 'minimize_tpot'
  | 'maximize_goodput'
  | 'maximize_goodput_per_gpu';
export interface MetricObjective {
  metric: Metric;
  stat?: Stat;
  goal?: Goal;
  across?: 'best' | 'worst' | { level: number };
  per_gpu?: boolean;
}
export type Objective = ObjectiveName | MetricObjective;

export interface SloSpec {
  metric: Metric;
  stat?: Stat;
  max_ms?: number;
  max?: number;
  min?: number;
  weight?: number;
  hard?: boolean;
  steepness?: number;
  [more: string]: unknown;
}

export interface Level {
  concurrency?: number;
  rate?: number;
  users?: number;
  arrival?: 'poisson' | 'constant' | 'gamma' | 'trace';
  burstiness?: number;
  burst?: number;
  every_s?: number;
  ramp_to?: number;
  [more: string]: unknown;
}

export type ParameterSpec =
  | FlagValue[]
  | 'bool'
  | {
      type?: 'int' | 'float' | 'bool' | 'categorical';
      values?: FlagValue[];
      low?: number;
      high?: number;
      step?: number;
      log?: boolean;
      when?: string;
    };

export interface TaskSpec {
  name: string;
  description?: string;
  model: Record<string, unknown>;
  engine: { name: string; gpus?: number; fixed?: Configuration; [more: string]: unknown };
  backend: Record<string, unknown> | string;
  search_space: {
    parameters: Record<string, ParameterSpec>;
    constraints?: string[];
    presets?: string[];
    merge?: string;
  };
  baseline?: Configuration;
  workload: Record<string, unknown>;
  load: { levels: Level[]; [more: string]: unknown };
  objectives: Objective[];
  slos?: SloSpec[];
  max_error_rate: number;
  sampler: Record<string, unknown> | string;
  budget: {
    experiments: number;
    wall_time_s?: number;
    gpu_seconds?: number;
    parallel: number;
    share_host: boolean;
  };
  verification: { blocks: number; confidence: number; indifference: number };
  timeouts: Record<string, number>;
  retries: Record<string, number>;
  repeats: number;
  quality_guard?: Record<string, unknown>;
  seed: number;
}

export type TaskItem = Omit<Schemas['TaskItem'], 'status' | 'verdict'> & {
  status: TaskStatus;
  verdict: Verdict | null;
};

export type TaskDetail = TaskItem & {
  revision: number;
  replaced_by?: string | null;
  archived_at?: string | null;
  task: TaskSpec;
  source: string;
  running: Schemas['RunningExperiment'][];
};
