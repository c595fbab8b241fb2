import type { Finding } from '@/api/error';

export const STEP_IDS = [
  'basics',
  'space',
  'presets',
  'precision',
  'workload',
  'load',
  'goals',
  'budget',
  'review',
] as const;
export type StepId = (typeof STEP_IDS)[number];

/** Which fields are edited where; the first step that a field fits is its own. */
const FIELDS: [StepId, RegExp][] = [
  ['presets', /^search_space\.(presets|merge)\b/],
  ['space', /^(search_space|baseline|engine\.fixed)\b/],
  ['basics', /^(name|description|model|engine|backend)\b/],
  ['workload', /^workload\b/],
  ['load', /^(load|repeats)\b/],
  ['goals', /^(objectives|slos|max_error_rate|quality_guard)\b/],
  ['budget', /^(sampler|budget|verification|timeouts|retries|seed)\b/],
];

/** The step that a field is edited in; what belongs nowhere is shown at the end. */
export function stepOf(field: string): StepId {
  return FIELDS.find(([, fits]) => fits.test(field))?.[0] ?? 'review';
}

/** A field that is missing is told at the whole: its name stands in the message. */
export function stepOfFinding({ field, message }: Finding): StepId {
  return stepOf(field || (/^`([\w.]+)` is missing/.exec(message)?.[1] ?? ''));
}

export interface StepState {
  errors: number;
  notes: number;
}

export function stepStates(findings: readonly Finding[]): Record<StepId, StepState> {
  const states = Object.fromEntries(STEP_IDS.map((id) => [id, { errors: 0, notes: 0 }])) as Record<StepId, StepState>;
  for (const finding of findings) {
    const state = states[stepOfFinding(finding)];
    if (finding.severity === 'error') state.errors += 1;
    else state.notes += 1;
  }
  return states;
}
