import type { Role } from '@/api/types';
import type { EventKind, ServerEvent } from '@/events';
import { configurationLine, milliseconds, withUnit } from '@/format';
import { states } from '@/text/common';
import { taskEvents as words } from '@/text/taskEvents';

/** What a person wants to know of. */
export const TOLD: readonly EventKind[] = [
  'task_created',
  'task_started',
  'task_reopened',
  'cancel_requested',
  'task_ended',
  'task_revised',
  'task_archived',
  'task_unarchived',
  'experiment_created',
  'attempt_started',
  'level_measured',
  'attempt_ended',
  'experiment_ended',
  'note',
];

/** What helps to find out why something went wrong. */
export const TECHNICAL: readonly EventKind[] = [
  ...TOLD,
  'phase',
  'deployment_reserved',
  'gpus_reserved',
  'deployment_launched',
  'deployment_stopped',
  'evidence',
  'read_back',
  'job',
  'lease_claimed',
  'lease_released',
  'lease_broken',
];

function roleWords(role: Role): string {
  return role.kind === 'verify' ? words.verify(role.block, role.arm) : words.roles[role.kind];
}

/** An event as a sentence. */
export function eventWords(event: ServerEvent): string {
  switch (event.kind) {
    case 'task_created':
      return words.created(event.name);
    case 'task_started':
      return words.started(event.resumed, event.worker);
    case 'task_reopened':
      return words.reopened(states[event.was]);
    case 'cancel_requested':
      return words.cancelRequested;
    case 'task_ended':
      return words.ended(states[event.status], event.failure ?? event.verdict?.reason ?? '');
    case 'task_revised':
      return words.revised(event.number);
    case 'task_archived':
      return words.archived;
    case 'task_unarchived':
      return words.unarchived;
    case 'experiment_created':
      return words.experiment(roleWords(event.role), configurationLine(event.configuration));
    case 'attempt_started':
      return words.attempt(event.attempt, event.worker);
    case 'attempt_ended':
      return words.attemptEnded(event.attempt, states[event.state], event.failure?.message ?? '');
    case 'phase':
      return words.phase(event.phase, event.level);
    case 'level_measured':
      return words.level(
        event.level,
        event.valid,
        event.output_throughput === undefined ? '' : withUnit(event.output_throughput, 'tok/s'),
        event.ttft_p99_ms === undefined ? '' : milliseconds(event.ttft_p99_ms),
      );
    case 'experiment_ended': {
      const { outcome } = event;
      const more = 'failure' in outcome ? (outcome.failure?.message ?? '') : 'reason' in outcome ? outcome.reason : '';
      return words.experimentEnded(states[outcome.kind], more);
    }
    case 'deployment_launched':
      return words.launched(event.address ?? '', event.pid);
    case 'deployment_stopped':
      return words.stopped;
    case 'deployment_reserved':
      return words.reserved(event.port);
    case 'gpus_reserved':
      return words.gpus(event.gpus);
    case 'read_back': {
      const wrong = event.arguments.filter(({ verdict }) => verdict === 'different').map(({ name }) => name);
      return words.readBack(event.arguments.length, wrong);
    }
    case 'evidence':
      return words.evidence(event.evidence.engine_version ?? '', event.evidence.command ?? '');
    case 'job':
      return words.job(event.change, event.error ?? '');
    case 'lease_claimed':
      return words.leaseClaimed(event.resource.split(':')[0] ?? '');
    case 'lease_released':
      return words.leaseReleased(event.resource.split(':')[0] ?? '');
    case 'lease_broken':
      return words.leaseBroken(event.resource.split(':')[0] ?? '');
    case 'note':
      return event.text;
    default:
      return event.kind;
  }
}

export type EventTone = 'plain' | 'good' | 'warn' | 'bad';

/** Whether an event wants to be seen. */
export function eventTone(event: ServerEvent): EventTone {
  switch (event.kind) {
    case 'task_ended':
      return event.status === 'completed' ? 'good' : event.status === 'failed' ? 'bad' : 'warn';
    case 'experiment_ended':
      return event.outcome.kind === 'success' ? 'good' : event.outcome.kind === 'failed' ? 'bad' : 'warn';
    case 'attempt_ended':
      return event.state === 'failed' ? 'bad' : event.state === 'interrupted' ? 'warn' : 'plain';
    case 'level_measured':
      return event.valid ? 'plain' : 'warn';
    case 'note':
      return event.severity === 'warning' ? 'warn' : 'plain';
    case 'cancel_requested':
    case 'lease_broken':
      return 'warn';
    default:
      return 'plain';
  }
}
