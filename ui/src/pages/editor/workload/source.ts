import { type Guide, removeIn, setIn } from '@/document/edit';
import { isRecord } from '@/document/path';

export type WorkloadSource = 'scenario' | 'dataset' | 'classes';

const KEYS: Record<WorkloadSource, string[]> = {
  scenario: ['scenario'],
  dataset: ['dataset', 'prompts_file', 'output_tokens'],
  classes: ['classes'],
};

/** Keys of a workload that have a place of their own in the form. */
export const SHOWN_KEYS = [
  ...Object.values(KEYS).flat(),
  'conversation',
  'api',
  'temperature',
  'ignore_eos',
  'salt',
  'extra_body',
];

/** Where a workload's prompts come from. */
export function sourceOf(workload: unknown): WorkloadSource {
  if (!isRecord(workload)) return 'scenario';
  if (Array.isArray(workload.classes) && workload.classes.length > 0) return 'classes';
  return workload.dataset !== undefined || workload.prompts_file !== undefined ? 'dataset' : 'scenario';
}

/** Takes prompts from elsewhere; what belonged to the other source goes, the rest of the workload stays. */
export function setSource(text: string, workload: unknown, next: WorkloadSource, guide: Guide): string {
  const old = isRecord(workload) ? workload : {};
  const from = sourceOf(workload);
  if (next === from) return text;
  const scenario = typeof old.scenario === 'string' ? old.scenario : 'D(512,128)';
  const dataset = isRecord(old.dataset)
    ? old.dataset
    : { source: typeof old.prompts_file === 'string' ? old.prompts_file : '' };
  const asClass = from === 'dataset' ? { dataset } : { scenario };
  const put: Record<WorkloadSource, unknown> = {
    scenario,
    dataset,
    classes: [{ name: 'chat', weight: 1, ...asClass }],
  };
  const key = next === 'dataset' ? 'dataset' : next;
  let made = setIn(text, ['workload', key], put[next], guide);
  for (const gone of KEYS[from]) made = removeIn(made, ['workload', gone], guide);
  return made;
}
