/** Events as `crates/tuner-store/src/event.rs` writes them. Kinds may be added; unknown ones are passed on untouched. */
import type {
  AttemptEvidence,
  AttemptState,
  Configuration,
  Failure,
  JobStatus,
  Outcome,
  ReadBack,
  RequestCounts,
  Role,
  Score,
  TaskStatus,
  Verdict,
} from '@/api/types';

export type PhaseName = 'provision' | 'loading' | 'ready' | 'warm_up' | 'level' | 'stopping';

export interface LevelFigures {
  level: number;
  repeat: number;
  valid: boolean;
  elapsed_s: number;
  requests: RequestCounts;
  output_throughput?: number;
  ttft_p50_ms?: number;
  ttft_p99_ms?: number;
  tpot_p50_ms?: number;
  error_rate?: number;
}

interface Attempted {
  attempt: number;
}

/** What each kind tells besides its place. */
export interface Kinds {
  task_created: { name: string };
  task_started: { resumed: boolean; worker: string };
  task_reopened: { was: TaskStatus };
  cancel_requested: object;
  task_ended: { status: TaskStatus; verdict?: Verdict; failure?: string };
  task_deleted: { name: string };
  task_revised: { name: string; number: number; replaces: string };
  task_archived: object;
  task_unarchived: object;
  lease_claimed: { resource: string; owner: unknown; fence: number };
  lease_released: { resource: string; fence: number };
  lease_broken: { resource: string; owner: unknown; fence: number };
  experiment_created: { role: Role; configuration: Configuration };
  attempt_started: Attempted & { worker: string };
  phase: Attempted & { phase: PhaseName; level?: number; repeat?: number };
  deployment_reserved: Attempted & { deployment: string; port?: number };
  gpus_reserved: Attempted & { deployment: string; gpus: number[] };
  deployment_launched: Attempted & { deployment: string; pid?: number; address?: string };
  deployment_stopped: Attempted & { deployment: string };
  evidence: Attempted & { evidence: AttemptEvidence };
  read_back: Attempted & { arguments: ReadBack[] };
  level_measured: Attempted & LevelFigures;
  attempt_ended: Attempted & { state: AttemptState; failure?: Failure };
  experiment_ended: { outcome: Outcome; score?: Score };
  /** `change` says what happened: `crates/tuner-store/src/jobs/event.rs`. */
  job: { job: string; change: string; status?: JobStatus; progress?: unknown; error?: string; job_kind?: string };
  jobs_purged: { jobs: number; ended_before: string };
  worker: { worker: string; change: string; asked?: string };
  shelf: { item: 'preset' | 'dataset'; name: string; change: 'stored' | 'changed' | 'deleted' };
  note: { severity: 'info' | 'warning'; text: string };
  /** Something happened in a conversation; what, its owner hears on the conversation's own stream. */
  chat: { session: string };
}

export type EventKind = keyof Kinds;

interface Place {
  seq: number;
  task?: string;
  experiment?: number;
  at: string;
}

export type EventOf<K extends EventKind> = Place & { kind: K } & Kinds[K];
export type ServerEvent = { [K in EventKind]: EventOf<K> }[EventKind];
