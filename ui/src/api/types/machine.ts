/** Shapes of `crates/tuner-deploy/src/host/` and `crates/tuner-store/src/jobs/needs.rs`. */
import type { components } from '../schema';

type Schemas = components['schemas'];

export interface Gpu {
  index: number;
  uuid: string;
  name: string;
  memory_total_mib: number;
  memory_used_mib: number;
  utilization_percent: number | null;
  driver: string;
  compute_capability: string | null;
}

export type Gpus = { kind: 'found'; gpus: Gpu[] } | { kind: 'none' | 'broken'; reason: string };

export interface HostFacts {
  os: string | null;
  kernel: string | null;
  cpu: string | null;
  cores: number;
  cpu_features: string[];
  memory_total_bytes: number | null;
  memory_free_bytes: number | null;
  load_1m: number | null;
  shm_free_bytes: number | null;
  gpus: Gpus;
  python: string | null;
  disk_free_bytes: number | null;
  proxies: Record<string, unknown>;
}

export interface ProcessFacts {
  memory_bytes: number | null;
  cpu_s: number | null;
  threads: number | null;
  open_files: number | null;
}

export interface Host {
  host: HostFacts;
  process: ProcessFacts;
}

export interface Settings {
  data_dir: string;
  proxies: Record<string, unknown>;
  /** Names of secrets that are set; their values are never told. */
  secrets: string[];
  hub_cache: string | null;
  visible_gpus: string | null;
  limits: Record<string, number>;
}

export interface Capabilities {
  host?: string;
  gpus?: { model?: string; memory_mib?: number; [more: string]: unknown }[];
  backends?: string[];
  engines?: Record<string, string>;
  labels?: Record<string, string>;
}

export type WorkerItem = Omit<Schemas['WorkerItem'], 'capabilities' | 'asked'> & {
  capabilities: Capabilities;
  asked: 'run' | 'drain' | 'restart' | 'stop';
};

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'dead' | 'cancelled';
export type JobItem = Omit<Schemas['JobItem'], 'status' | 'progress' | 'result' | 'needs'> & {
  status: JobStatus;
  progress: Record<string, unknown> | null;
  result: Record<string, unknown> | null;
  needs: Record<string, unknown>;
};
