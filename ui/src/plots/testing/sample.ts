import type { ExperimentItem, Report, TaskDetail } from '@/api/types';
import { type PlotTask, plotTask } from '../data/points';
import type { PlotTheme } from '../theme';

/** A small task for tests of plots: a baseline, four of the search, one that cannot run, one that misses its SLO. */

export const THEME: PlotTheme = {
  ink: 'ink',
  muted: 'muted',
  line: 'line',
  edge: 'edge',
  surface: 'surface',
  raised: 'raised',
  accent: 'accent',
  warn: 'warn',
  bad: 'bad',
  ok: 'ok',
  series: ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8'],
  state: {
    success: 'success',
    partial: 'partial',
    missed: 'missed',
    open: 'open',
    pruned: 'pruned',
    infeasible: 'infeasible',
    failed: 'failed',
    cancelled: 'cancelled',
  },
  font: 'sans-serif',
};

interface Wanted {
  number: number;
  seqs?: number;
  cache?: boolean;
  objective?: number;
  ttft?: number;
  role?: ExperimentItem['role'];
  outcome?: ExperimentItem['outcome'];
  class?: 'feasible' | 'hard_violation';
}

const LIMIT = 1500;

export function experiment(wanted: Wanted): ExperimentItem {
  const { number, seqs, cache, objective, ttft = 100, outcome = 'success' } = wanted;
  const rank = wanted.class ?? (ttft > LIMIT ? 'hard_violation' : 'feasible');
  const violation = ttft / LIMIT - 1;
  const slos = [{ label: 'ttft p99 ≤ 1500 ms', actual: ttft, violation, class: rank, penalty: 0 }];
  const level = (at: number, of: number) => ({
    level: at,
    class: rank,
    objectives: [of],
    slos,
    penalty: 0,
    violation: Math.max(0, violation),
  });
  const isMeasured = objective !== undefined;
  const failure = { class: 'oom_load' as const, message: 'it does not fit' };
  return {
    number,
    role: wanted.role ?? { kind: number === 1 ? 'baseline' : 'search' },
    configuration: {
      ...(seqs === undefined ? {} : { 'max-num-seqs': seqs }),
      ...(cache === undefined ? {} : { 'enable-prefix-caching': cache }),
    },
    outcome,
    result:
      outcome === 'success'
        ? { kind: 'success', partial: false }
        : outcome === 'infeasible'
          ? { kind: 'infeasible', failure }
          : null,
    objective: objective ?? null,
    score: isMeasured
      ? {
          class: rank,
          objectives: [objective],
          penalty: 0,
          violation: Math.max(0, violation),
          level: 1,
          levels: [level(0, objective / 2), level(1, objective)],
        }
      : outcome === 'infeasible'
        ? { class: 'infeasible', objectives: [], penalty: 0, violation: 0, level: null, levels: [] }
        : null,
    created_at: new Date(Date.UTC(2026, 10, 28, 12, number)).toISOString(),
    ended_at: outcome === 'open' ? null : new Date(Date.UTC(2026, 10, 28, 12, number, 50)).toISOString(),
    elapsed_s: outcome === 'open' ? null : 50,
  };
}

export const ITEMS: ExperimentItem[] = [
  experiment({ number: 1, objective: 1000, ttft: 900 }),
  experiment({ number: 2, seqs: 16, cache: false, objective: 600, ttft: 90 }),
  experiment({ number: 3, seqs: 64, cache: true, objective: 1200, ttft: 300 }),
  experiment({ number: 4, seqs: 256, cache: true, outcome: 'infeasible' }),
  experiment({ number: 5, seqs: 128, cache: false, objective: 2000, ttft: 1800 }),
  experiment({ number: 6, seqs: 64, cache: false, objective: 1500, ttft: 400 }),
];

/** A task as the server tells it, as far as plots read it. */
export function detail(more: Partial<TaskDetail> = {}): TaskDetail {
  return {
    id: 'id',
    name: 'sample',
    status: 'completed',
    verdict: null,
    experiments: {},
    task: {
      objectives: ['maximize_throughput'],
      slos: [{ metric: 'ttft', stat: 'p99', max_ms: LIMIT }],
      search_space: {
        parameters: {
          'max-num-seqs': { low: 16, high: 256, log: true },
          'enable-prefix-caching': 'bool',
        },
      },
      budget: { experiments: 6, parallel: 1, share_host: false },
      verification: { blocks: 0, confidence: 0.95, indifference: 0 },
      load: { levels: [{ concurrency: 8 }, { concurrency: 48 }] },
    },
    ...more,
  } as unknown as TaskDetail;
}

const COLUMNS = [
  { key: 'output_throughput_mean_tok_per_s', label: 'output', unit: 'tok/s', share: false },
  { key: 'ttft_p99_ms', label: 'TTFT p99', unit: 'ms', share: false },
  { key: 'error_rate_mean', label: 'errors', unit: '', share: true },
];

export function reportOf(items: readonly ExperimentItem[]): Report {
  const experiments = items.map(({ number, score }) => ({
    number,
    missed: [],
    ready_s: 10,
    levels: (score?.levels ?? []).map((level, index) => ({
      level: level.level,
      label: index === 0 ? 'c8' : 'c48',
      repeat: 0,
      valid: true,
      class: level.class,
      figures: {
        output_throughput_mean_tok_per_s: level.objectives[0] ?? 0,
        ttft_p99_ms: (level.slos[0]?.actual ?? 0) * (index === 0 ? 0.5 : 1),
        error_rate_mean: 0,
      },
    })),
  }));
  return { columns: COLUMNS, experiments } as unknown as Report;
}

export function sample(items: readonly ExperimentItem[] = ITEMS, more: Partial<TaskDetail> = {}): PlotTask {
  return plotTask(detail(more), items, reportOf(items));
}
