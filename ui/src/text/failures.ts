import type { FailureClass } from '@/api/types';

/** What went wrong, in words, and what can be done: `FailureClass::hint` in `crates/tuner-core/src/failure.rs`. */
export const failures: Record<FailureClass, { name: string; hint: string }> = {
  engine_arguments: {
    name: 'The engine refused its arguments',
    hint: "Check the flag's name and value against the installed engine version.",
  },
  oom_load: {
    name: 'Out of memory while loading',
    hint: 'Lower the memory fraction or context length, quantise, or use more GPUs.',
  },
  oom_run: {
    name: 'Out of memory under load',
    hint: 'Lower the number of running requests or the prefill chunk; lower levels stay usable.',
  },
  multi_gpu_init: {
    name: 'Multi-GPU initialisation died',
    hint: 'Check free GPUs, NCCL settings, shared memory size and GPU topology.',
  },
  model_missing: {
    name: 'Model files are missing',
    hint: 'Check the model path; an incomplete download names the missing files in the log.',
  },
  hub_access: {
    name: 'The hub refused or was not reached',
    hint: 'Set a token, accept the licence, or work offline from a complete local folder.',
  },
  port_conflict: {
    name: 'The port was taken',
    hint: 'Another process holds the port; the next attempt takes another one.',
  },
  engine_crash: {
    name: 'The engine crashed',
    hint: "Read the last log lines; if it is the engine's bug, leave this value out.",
  },
  engine_missing: {
    name: 'The engine is not installed',
    hint: 'Install the engine, or name its program in engine.command.',
  },
  timeout_ready: {
    name: 'Not ready in time',
    hint: 'Raise timeouts.ready_s if the log was still moving, else read the last log lines.',
  },
  timeout_measure: {
    name: 'A measurement did not end in time',
    hint: 'Raise timeouts.measure_s or lower the load.',
  },
  wrong_model: {
    name: 'Another model answered',
    hint: "Something else answers on that address; check the model's served name.",
  },
  workload: {
    name: 'The workload cannot be used here',
    hint: "Check the task's workload; autotuner dataset inspect shows what a data set holds.",
  },
  no_answers: {
    name: 'No request was completed',
    hint: 'The server is up but completes nothing; see the errors by class and the engine log.',
  },
  context_too_short: {
    name: 'Requests are longer than the context',
    hint: 'Allow a longer context, or shorten prompts, answers or conversations.',
  },
  quality_guard: {
    name: 'Vetoed by the quality guard',
    hint: "This configuration changes answers too much for the guard's limit.",
  },
  invalid_measurement: {
    name: 'The client was the bottleneck',
    hint: 'The load generator was the bottleneck; give it more CPU or lower the load.',
  },
  no_capacity: {
    name: 'No free GPU, port or memory',
    hint: 'Wait for the resource or free it; nothing was deployed.',
  },
  interrupted: {
    name: 'The process that ran it died',
    hint: 'Resume the task; the attempt is repeated.',
  },
  connection: {
    name: 'The path to the engine broke',
    hint: "Check proxies (loopback must not be proxied) and the engine's log.",
  },
  internal: {
    name: 'A bug in the tuner',
    hint: 'Please report it with the log.',
  },
};
