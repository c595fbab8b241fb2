import type {
  Configuration,
  ExperimentItem,
  LevelReport,
  LevelScore,
  Report,
  ReportColumn,
  Role,
  ScoreClass,
  SloResult,
  SloSpec,
  TaskDetail,
} from '@/api/types';
import type { PlotState } from '../theme';
import { type Limit, limitsOf, type ResolvedObjective, resolveObjective } from './objective';

/** One experiment as plots and tables of a task see it. */
export interface Point {
  number: number;
  role: Role['kind'];
  /** Side of the final comparison that it ran for. */
  arm?: 'baseline' | 'best';
  configuration: Configuration;
  /** How it ended, a missed SLO being a state of its own. */
  state: PlotState;
  class: ScoreClass | null;
  /** First objective, in its own unit. */
  objective: number | null;
  objectives: number[];
  /** Relative standard error of the first objective over repeats. */
  noise: number | null;
  /** Position of the level that gave the objective. */
  level: number | null;
  /** SLOs at that level. */
  slos: SloResult[];
  levelScores: LevelScore[];
  failure: { class: string; message: string } | null;
  /** It was known before anything was started that it cannot run. */
  isPredicted: boolean;
  /** Why it was ended early. */
  reason: string | null;
  createdAt: number;
  endedAt: number | null;
  elapsedS: number | null;
  readyS: number | null;
  /** What was measured; empty until the report is there. */
  levels: LevelReport[];
  missed: string[];
}

/** A task as its plots see it. */
export interface PlotTask {
  id: string;
  name: string;
  objective: ResolvedObjective;
  objectives: ResolvedObjective[];
  limits: Limit[];
  slos: SloSpec[];
  /** Names of the parameters that vary, in the order of the task file. */
  parameters: string[];
  /** Of them, those whose values are searched on a logarithmic scale. */
  logarithmic: ReadonlySet<string>;
  columns: ReportColumn[];
  /** All experiments by number. */
  points: Point[];
  baseline: number | null;
  best: number | null;
  recommended: number | null;
  /** Whether figures of levels are there. */
  hasReport: boolean;
}

function stateOf(item: ExperimentItem): PlotState {
  const { outcome, result, score } = item;
  if (outcome !== 'success') return outcome;
  if (score?.class === 'soft_violation' || score?.class === 'hard_violation') return 'missed';
  return result?.kind === 'success' && result.partial ? 'partial' : 'success';
}

function pointOf(item: ExperimentItem, levels: LevelReport[], readyS: number | null, missed: string[]): Point {
  const { role, result, score } = item;
  const failure = result && 'failure' in result ? (result.failure ?? null) : null;
  const deciding = score?.levels.find((level) => level.level === score.level);
  return {
    number: item.number,
    role: role.kind,
    arm: role.kind === 'verify' ? role.arm : undefined,
    configuration: item.configuration,
    state: stateOf(item),
    class: score?.class ?? null,
    objective: item.objective,
    objectives: score?.objectives ?? [],
    noise: score?.noise ?? null,
    level: score?.level ?? null,
    slos: deciding?.slos ?? [],
    levelScores: score?.levels ?? [],
    failure: failure && { class: failure.class, message: failure.message },
    isPredicted: result?.kind === 'infeasible' && result.predicted === true,
    reason: result?.kind === 'pruned' ? result.reason : null,
    createdAt: Date.parse(item.created_at),
    endedAt: item.ended_at === null ? null : Date.parse(item.ended_at),
    elapsedS: item.elapsed_s,
    readyS,
    levels,
    missed,
  };
}

/** Better first: by class, then by the objective. Absent scores come last. */
export function compareClass(a: ScoreClass | null, b: ScoreClass | null): number {
  const rank = (it: ScoreClass | null) => (it === null ? CLASSES.length : CLASSES.indexOf(it));
  return rank(a) - rank(b);
}
const CLASSES: ScoreClass[] = ['feasible', 'pruned', 'soft_violation', 'hard_violation', 'infeasible', 'failed'];

/** Whether the first is better on the objective. */
export function isBetter(objective: Pick<ResolvedObjective, 'goal'>, a: number, b: number): boolean {
  return objective.goal === 'maximize' ? a > b : a < b;
}

/** The best that was measured so far in the search, SLOs first: what the verdict will look at. */
export function leader(points: readonly Point[], objective: ResolvedObjective): Point | null {
  let best: Point | null = null;
  for (const point of points) {
    if (point.role === 'verify' || point.objective === null || point.class !== 'feasible') continue;
    if (best?.objective == null || isBetter(objective, point.objective, best.objective)) best = point;
  }
  return best;
}

/** Joins what the server tells of a task, of its experiments, and (when it is there) in its report. */
export function plotTask(task: TaskDetail, items: readonly ExperimentItem[], report: Report | undefined): PlotTask {
  const reported = new Map(report?.experiments.map((experiment) => [experiment.number, experiment]));
  const points = items.map((item) => {
    const more = reported.get(item.number);
    return pointOf(item, more?.levels ?? [], more?.ready_s ?? null, more?.missed ?? []);
  });
  const objectives = task.task.objectives.map(resolveObjective);
  const objective = objectives[0] ?? resolveObjective(undefined);
  const space = Object.entries(task.task.search_space?.parameters ?? {});
  const isLog = ([, given]: (typeof space)[number]) =>
    typeof given === 'object' && 'log' in given && given.log === true;
  const baseline = task.verdict?.baseline ?? points.find((point) => point.role === 'baseline')?.number ?? null;
  return {
    id: task.id,
    name: task.name,
    objective,
    objectives,
    limits: limitsOf(task.task),
    slos: task.task.slos ?? [],
    parameters: space.map(([name]) => name),
    logarithmic: new Set(space.filter(isLog).map(([name]) => name)),
    columns: report?.columns ?? [],
    points,
    baseline,
    best: task.verdict ? (task.verdict.best ?? null) : (leader(points, objective)?.number ?? null),
    recommended: task.verdict?.recommended ?? null,
    hasReport: report !== undefined,
  };
}
