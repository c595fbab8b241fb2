import { useEventLog } from '@/events/useEventLog';
import { PHASE_KINDS } from './data/spans';

/** Phases of a task's experiments, past and present; `task` is its id. */
export function usePhases(task: string) {
  return useEventLog(task, PHASE_KINDS);
}
