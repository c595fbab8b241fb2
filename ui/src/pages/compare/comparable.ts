import type { ExperimentDetail, TaskDetail, TaskSpec } from '@/api/types';
import { firstObjective, levelName, objectiveName } from '@/format';
import { compare as words } from '@/text/compare';

/** A value as text that is the same for what means the same, whatever the order of its keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

const unlike = (values: readonly unknown[]) => new Set(values.map(canonical)).size > 1;
const different = (values: readonly (string | undefined)[]) => [
  ...new Set(values.filter((value) => value !== undefined)),
];

export function modelName({ model }: Pick<TaskSpec, 'model'>): string {
  const named = model.id ?? model.path ?? model.name;
  return typeof named === 'string' ? named : canonical(model);
}

export function loadName({ load }: Pick<TaskSpec, 'load'>): string {
  return load.levels.map(levelName).join(', ');
}

/** Whether tasks were asked for the same: only then one figure can be better than another. */
export function isOneQuestion(tasks: readonly TaskDetail[]): boolean {
  const of = (read: (spec: TaskSpec) => unknown) => !unlike(tasks.map(({ task }) => read(task)));
  return (
    of((spec) => spec.model) &&
    of((spec) => spec.workload) &&
    of((spec) => spec.load.levels) &&
    of((spec) => firstObjective(spec))
  );
}

/** What keeps tasks from being compared, the gravest first. */
export function taskDoubts(tasks: readonly TaskDetail[], shown: readonly (ExperimentDetail | undefined)[]): string[] {
  const specs = tasks.map(({ task }) => task);
  const doubts: string[] = [];
  const say = (is: boolean, text: string) => is && doubts.push(text);
  const names = (of: (spec: TaskSpec) => string) => different(specs.map(of)).join('; ');
  say(unlike(specs.map((spec) => spec.engine.name)), words.otherEngine(names((spec) => spec.engine.name)));
  say(unlike(specs.map((spec) => spec.model)), words.otherModel(names(modelName)));
  say(unlike(specs.map((spec) => spec.workload)), words.otherWorkload);
  say(unlike(specs.map((spec) => spec.load.levels)), words.otherLoad(names(loadName)));
  say(unlike(specs.map(firstObjective)), words.otherObjective(names((spec) => objectiveName(firstObjective(spec)))));
  say(unlike(specs.map((spec) => spec.slos ?? [])), words.otherSlos);
  doubts.push(...placeDoubts(shown));
  say(unlike(specs.map((spec) => spec.search_space.parameters)), words.otherSpace);
  return doubts;
}

/** The evidence of the attempt that counts. */
export function evidenceOf(detail: ExperimentDetail | undefined) {
  const attempts = detail?.experiment.attempts ?? [];
  return (attempts.findLast((attempt) => attempt.measurements.length > 0) ?? attempts.at(-1))?.evidence;
}

function placeDoubts(shown: readonly (ExperimentDetail | undefined)[]): string[] {
  const of = (key: 'host' | 'hardware' | 'engine_version') =>
    different(shown.map((detail) => evidenceOf(detail)?.[key]));
  const doubts: string[] = [];
  const [hosts, hardware, versions] = [of('host'), of('hardware'), of('engine_version')];
  if (hardware.length > 1) doubts.push(words.otherHardware(hardware.join('; ')));
  else if (hosts.length > 1) doubts.push(words.otherHost(hosts.join(', ')));
  if (versions.length > 1) doubts.push(words.otherVersion(versions.join(', ')));
  return doubts;
}

/** What one should know before one compares experiments of one task. */
export function experimentDoubts(shown: readonly ExperimentDetail[]): string[] {
  const doubts = placeDoubts(shown);
  const numbers = (list: readonly ExperimentDetail[]) => list.map((one) => `#${one.experiment.number}`).join(', ');
  const measurements = (detail: ExperimentDetail) =>
    detail.experiment.attempts.findLast((attempt) => attempt.measurements.length > 0)?.measurements ?? [];
  const invalid = shown.filter((one) => measurements(one).some((m) => m.validity.verdict === 'invalid'));
  const unmeasured = shown.filter((one) => measurements(one).length === 0);
  if (invalid.length) doubts.push(words.invalid(numbers(invalid)));
  if (unmeasured.length) doubts.push(words.unmeasured(numbers(unmeasured)));
  return doubts;
}
