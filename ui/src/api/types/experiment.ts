/** Shapes of `crates/tuner-core/src/{outcome,failure,engine}.rs`, `plan/view.rs` and `score/`. */
import type { Measurement } from './measure';

/** What a flag is set to; null leaves it out. */
export type FlagValue = number | string | boolean | null;
export type Configuration = Record<string, FlagValue>;

export type FailureClass =
  | 'engine_arguments'
  | 'oom_load'
  | 'oom_run'
  | 'multi_gpu_init'
  | 'model_missing'
  | 'hub_access'
  | 'port_conflict'
  | 'engine_crash'
  | 'engine_missing'
  | 'timeout_ready'
  | 'timeout_measure'
  | 'wrong_model'
  | 'workload'
  | 'no_answers'
  | 'context_too_short'
  | 'quality_guard'
  | 'invalid_measurement'
  | 'no_capacity'
  | 'interrupted'
  | 'connection'
  | 'internal';

export interface Failure {
  class: FailureClass;
  message: string;
  log_tail?: string[];
}

export type Outcome =
  | { kind: 'success'; partial: boolean; failure?: Failure }
  | { kind: 'infeasible'; failure: Failure; predicted?: boolean }
  | { kind: 'pruned'; reason: string }
  | { kind: 'failed'; failure: Failure }
  | { kind: 'cancelled' };

/** The word of an experiment's outcome in lists; `open` has none yet. */
export type OutcomeWord = 'open' | Outcome['kind'];

export type Role =
  | { kind: 'baseline' }
  | { kind: 'search' }
  | { kind: 'verify'; block: number; arm: 'baseline' | 'best' };

/** From good to bad. */
export type ScoreClass = 'feasible' | 'pruned' | 'soft_violation' | 'hard_violation' | 'infeasible' | 'failed';

export interface SloResult {
  label: string;
  actual: number | null;
  /** Relative; above 0 it is missed. */
  violation: number | null;
  class: ScoreClass;
  penalty: number;
}

export interface LevelScore {
  level: number;
  class: ScoreClass;
  objectives: (number | null)[];
  slos: SloResult[];
  penalty: number;
  violation: number;
  noise?: number;
}

export interface Score {
  class: ScoreClass;
  objectives: number[];
  penalty: number;
  violation: number;
  level: number | null;
  levels: LevelScore[];
  noise?: number;
}

/** An experiment in a list; fields that were not asked for are absent. `routes/experiments.rs` */
export interface ExperimentItem {
  number: number;
  role: Role;
  configuration: Configuration;
  outcome: OutcomeWord;
  result: Outcome | null;
  objective: number | null;
  score: Score | null;
  created_at: string;
  ended_at: string | null;
  elapsed_s: number | null;
}

export type AttemptState = 'running' | 'succeeded' | 'failed' | 'interrupted' | 'cancelled';

export interface ReadBack {
  name: string;
  asked: string;
  reported?: string;
  verdict: 'proven' | 'different' | 'not_reported';
}

export interface AttemptEvidence {
  deployment?: string;
  command?: string;
  gpus?: number;
  base_url?: string;
  served_model?: string;
  engine_version?: string;
  read_back?: ReadBack[];
  warnings?: string[];
  ready_s?: number;
  stop_s?: number;
  log_path?: string;
  worker?: string;
  host?: string;
  hardware?: string;
}

export interface Attempt {
  number: number;
  state: AttemptState;
  failure?: Failure;
  started_at: string;
  ended_at?: string;
  measurements: Measurement[];
  evidence: AttemptEvidence;
}

export interface Experiment {
  number: number;
  role: Role;
  configuration: Configuration;
  outcome?: Outcome;
  attempts: Attempt[];
}

export interface ExperimentDetail {
  task_id: string;
  task_name: string;
  experiment: Experiment;
  score: Score | null;
}
