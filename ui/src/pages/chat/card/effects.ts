import { isRecord } from '../state/result';

/** Figures of an estimate: `crates/tuner-app/src/service/estimate.rs`. */
export interface Span {
  least?: number | null;
  typical?: number | null;
  most: number;
}

export interface Estimate {
  search_experiments: number;
  verification_experiments: number;
  wall_time_s: Span;
  gpu_seconds?: Span | null;
  basis?: string;
}

export interface ToldFinding {
  severity?: string;
  line?: number;
  field?: string;
  message: string;
  help?: string | null;
}

/** What a call would do, taken apart into what the card knows to draw and the rest. */
export interface Foretold {
  /** A document before and after. */
  change?: { before: unknown; after: unknown; field?: string };
  deletes?: unknown;
  interrupts?: { worker: Record<string, unknown>; jobs: { kind: string; task: string | null }[]; after?: string };
  estimate?: Estimate;
  valid?: boolean;
  findings?: ToldFinding[];
  remarks?: unknown;
  /** The task that it is about, as it stands. */
  task?: { name: string; status: string; experiments?: [state: string, count: number][] };
  /** Lines of a plan. */
  calls?: { tool: string; does?: string; scope?: string; problem?: string }[];
  rest?: Record<string, unknown>;
  /** It is no map: shown as it is. */
  other?: unknown;
}

/** Reads `would` of a card, which every tool fills in its own way (`crates/tuner-agent/src/tools`). */
export function foretold(would: unknown): Foretold {
  if (would === undefined || would === null) return {};
  if (!isRecord(would)) return { other: would };
  const rest = { ...would };
  const take = (name: string): unknown => {
    const value = rest[name];
    delete rest[name];
    return value;
  };
  const told: Foretold = {};
  if ('before' in rest) {
    const field = typeof rest.field === 'string' ? (take('field') as string) : undefined;
    told.change = { before: take('before'), after: take('after'), field };
  }
  if ('deletes' in rest) told.deletes = take('deletes');
  if (Array.isArray(rest.interrupts)) {
    const jobs = take('interrupts') as { kind: string; task: string | null }[];
    const worker = { worker: take('worker'), pid: take('pid'), host: take('host') };
    const then = take('then');
    told.interrupts = { worker, jobs, after: typeof then === 'string' ? then : undefined };
  }
  const cost = isRecord(rest.cost) && 'estimate' in rest.cost ? (take('cost') as { estimate: unknown }) : undefined;
  if (rest.cost === null) take('cost');
  const estimate = cost?.estimate ?? ('estimate' in rest ? take('estimate') : undefined);
  if (isEstimate(estimate)) told.estimate = estimate;
  const check = isRecord(rest.check) ? (take('check') as Record<string, unknown>) : undefined;
  if (check) told.valid = check.valid === true;
  const findings = check?.findings ?? ('findings' in rest ? take('findings') : undefined);
  if (Array.isArray(findings) && findings.length > 0) told.findings = findings as ToldFinding[];
  if (Array.isArray(check?.remarks) && check.remarks.length > 0) told.remarks = check.remarks;
  if (typeof rest.task === 'string' && typeof rest.status === 'string') {
    const counts = outcomes(rest.experiments);
    if (counts) take('experiments');
    told.task = { name: take('task') as string, status: take('status') as string, experiments: counts };
  }
  if (Array.isArray(rest.calls)) told.calls = take('calls') as Foretold['calls'];
  if (Object.keys(rest).length > 0) told.rest = rest;
  return told;
}

/** Experiments by outcome: the task's counts, which stand below its id. */
function outcomes(value: unknown): [state: string, count: number][] | undefined {
  if (!isRecord(value)) return undefined;
  const found = new Map<string, number>();
  for (const counts of Object.values(value)) {
    if (!isRecord(counts)) return undefined;
    for (const [state, n] of Object.entries(counts)) {
      if (typeof n === 'number') found.set(state, (found.get(state) ?? 0) + n);
    }
  }
  return [...found];
}

function isEstimate(value: unknown): value is Estimate {
  return isRecord(value) && typeof value.search_experiments === 'number' && isRecord(value.wall_time_s);
}

/** The task that a call is about, as the model wrote it. */
export function taskOf(args: unknown): string | undefined {
  if (!isRecord(args)) return undefined;
  const task = args.table_name === 'tasks' ? args.record_id : args.task_id;
  return typeof task === 'string' && task !== '' ? task : undefined;
}
