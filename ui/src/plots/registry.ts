import { type ComponentType, lazy } from 'react';
import type { PlotTask } from './data/points';

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

export interface PlotProps {
  task: PlotTask;
  /** Words of quantities or parameters, where the kind takes them. */
  x?: string;
  y?: string;
  /** A person chose other axes; without it the plot keeps them itself. */
  onAxes?: (axes: { x?: string; y?: string }) => void;
  height?: number;
}

/** What draws each kind. */
export const REGISTRY: Record<ViewKind, ComponentType<PlotProps>> = {
  history: lazy(() => import('./history').then((it) => ({ default: it.History }))),
  pareto: lazy(() => import('./pareto').then((it) => ({ default: it.Pareto }))),
  throughput_latency: lazy(() => import('./curve').then((it) => ({ default: it.Curve }))),
  parallel_coordinates: lazy(() => import('./parallel').then((it) => ({ default: it.Parallel }))),
  importance: lazy(() => import('./importance').then((it) => ({ default: it.ImportancePlot }))),
  slice: lazy(() => import('./slice').then((it) => ({ default: it.Slice }))),
  interaction: lazy(() => import('./interaction').then((it) => ({ default: it.Interaction }))),
  timeline: lazy(() => import('./timeline').then((it) => ({ default: it.Timeline }))),
  feasibility: lazy(() => import('./feasibility').then((it) => ({ default: it.Feasibility }))),
  latency: lazy(() => import('./latency').then((it) => ({ default: it.Latency }))),
};

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
