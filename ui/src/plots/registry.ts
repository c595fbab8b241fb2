import type { ComponentType } from 'react';
import { Curve } from './curve';
import type { PlotTask } from './data/points';
import { Feasibility } from './feasibility';
import { History } from './history';
import { ImportancePlot } from './importance';
import { Interaction } from './interaction';
import { Latency } from './latency';
import { Parallel } from './parallel';
import { Pareto } from './pareto';
import { Slice } from './slice';
import { Timeline } from './timeline';
import type { ViewKind } from './view';

export interface PlotProps {
  task: PlotTask;
  /** Words of quantities or parameters, where the kind takes them. */
  x?: string;
  y?: string;
  /** A person chose other axes; without it the plot keeps them itself. */
  onAxes?: (axes: { x?: string; y?: string }) => void;
  height?: number;
}

/** What draws each kind. They are small; the drawing library is loaded when the first of them is drawn. */
export const REGISTRY: Record<ViewKind, ComponentType<PlotProps>> = {
  history: History,
  pareto: Pareto,
  throughput_latency: Curve,
  parallel_coordinates: Parallel,
  importance: ImportancePlot,
  slice: Slice,
  interaction: Interaction,
  timeline: Timeline,
  feasibility: Feasibility,
  latency: Latency,
};
