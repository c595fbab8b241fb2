/** The kinds of plots that a view specification may name. As `ChartKind` in `crates/tuner-agent/src/tools/analysis.rs`. */
export const VIEW_KINDS = [
  'history',
  'pareto',
  'throughput_latency',
  'parallel_coordinates',
  'importance',
  'slice',
  'interaction',
  'timeline',
  'feasibility',
  'latency',
] as const;
export type ViewKind = (typeof VIEW_KINDS)[number];

/** What the agent asks to be shown; `show_chart` answers with it. */
export interface ViewSpec {
  task_id: string;
  kind: ViewKind;
  x?: string | null;
  y?: string | null;
  experiments?: number[] | null;
}

/** A view specification out of what a tool answered, or null where it is none that we know. */
export function readView(raw: unknown): ViewSpec | null {
  if (raw === null || typeof raw !== 'object') return null;
  const { task_id, kind, x, y, experiments } = raw as Record<string, unknown>;
  if (typeof task_id !== 'string' || !VIEW_KINDS.includes(kind as ViewKind)) return null;
  const numbers = Array.isArray(experiments) ? experiments.filter((n) => Number.isSafeInteger(n)) : null;
  return {
    task_id,
    kind: kind as ViewKind,
    x: typeof x === 'string' ? x : null,
    y: typeof y === 'string' ? y : null,
    experiments: numbers?.length ? (numbers as number[]) : null,
  };
}
