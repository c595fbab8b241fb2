/** Shapes of `crates/tuner-app/src/report/model.rs`, `service/insight.rs` and `crates/tuner-search/src/analysis/`. */
import type { Configuration, FlagValue, ReadBack, ScoreClass } from './experiment';
import type { RequestCounts } from './measure';
import type { Decision, RatioInterval } from './task';

export type ReportTone = 'good' | 'neutral' | 'warn' | 'bad';

export interface Headline {
  decision: Decision | 'no_result' | 'running';
  tone: ReportTone;
  /** A few words: `15 % more output tokens per second`. */
  title: string;
  sentence: string;
  /** The same in numbers. */
  numbers: string[];
  advice: string;
  improvement?: RatioInterval;
}

/** A figure that is shown for every level. */
export interface ReportColumn {
  /** Metric, statistic and unit in one word: `ttft_p99_ms`. */
  key: string;
  label: string;
  unit: string;
  /** A share, 0 to 1. */
  share: boolean;
}

/** A parameter that the best configuration sets differently; absent values are the engine's default. */
export interface ReportChange {
  name: string;
  baseline?: string;
  best?: string;
}

export interface LevelReport {
  level: number;
  /** `c8` */
  label: string;
  repeat: number;
  valid: boolean;
  reasons: string[];
  class?: ScoreClass;
  window_s: number;
  requests: RequestCounts;
  errors: Record<string, number>;
  /** By key of a column; absent where not measured. */
  figures: Record<string, number>;
  server?: string;
}

export interface FailureReport {
  class: string;
  message: string;
  hint: string;
  log_tail: string[];
}

export interface ExperimentReport {
  number: number;
  /** `baseline`, `search`, `verify best 1`, … */
  role: string;
  verification: boolean;
  is_best: boolean;
  configuration: Configuration;
  configuration_text: string;
  outcome: string;
  tone: ReportTone;
  objective?: number;
  /** How many times better than the baseline's single run. */
  improvement?: number;
  class?: ScoreClass;
  missed: string[];
  deciding_level?: string;
  levels: LevelReport[];
  failure?: FailureReport;
  attempts: number;
  command?: string;
  read_back: ReadBack[];
  remarks: string[];
  ready_s?: number;
  elapsed_s?: number;
  log_path?: string;
}

export interface Report {
  format: number;
  tuner_version: string;
  generated_at: string;
  task: string;
  description?: string;
  finished: boolean;
  engine: string;
  model: string;
  verdict: Headline;
  objectives: string[];
  unit: string;
  smaller_is_better: boolean;
  slos: string[];
  baseline?: number;
  best?: number;
  changes_title: string;
  changes: ReportChange[];
  recommended?: number;
  command_title: string;
  command?: string;
  columns: ReportColumn[];
  outcomes: Record<string, number>;
  experiments: ExperimentReport[];
  method: { name: string; value: string }[];
}

export interface Importance {
  shares: { parameter: string; share: number }[];
  /** What only combinations of parameters explain. */
  interactions: number;
  measured: number;
  /** Too few experiments for the number of parameters. */
  caution: boolean;
}

/** Outcomes at one value of a parameter; means are turned so that smaller is better. */
export interface ValueEffect {
  value: FlagValue;
  measured: number;
  infeasible: number;
  mean: number | null;
  best: number | null;
}

/** What a forest grown on the measurements expects at a value, in the objective's own unit and sign. */
export interface ExpectedPoint {
  value: FlagValue;
  mean: number;
  /** 5th and 95th percentile of the trees. */
  low: number;
  high: number;
}

/** One parameter after the other is varied, all others as in an experiment. */
export interface Expected {
  experiment: number;
  slices: { parameter: string; points: ExpectedPoint[] }[];
}

export interface Insight {
  task: string;
  objective: string;
  importance: Importance | null;
  effects: { parameter: string; values: ValueEffect[] }[];
  pareto_front: number[];
  not_measured: { reason: string; experiments: number[] }[];
  /** Absent or null where too little was measured. */
  expected?: Expected | null;
}
