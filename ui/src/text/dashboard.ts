/** What goes on at the moment, at one glance. */
export const dashboard = {
  newTask: 'New task',
  all: 'All',

  first: {
    title: 'First steps',
    text: 'No task was made yet. A task names a model, an engine, what may vary and what is wanted; it gives the best configuration with the evidence for it.',
    example: 'Run an example',
    exampleText: 'A task on the simulated engine: no hardware, done in seconds. Look at what a result is.',
    engine: 'Install an engine',
    engineText: 'llama.cpp installs by itself; vLLM, SGLang and TensorRT-LLM are named in the task file.',
    task: 'Make a task',
    taskText: 'With a form or as YAML; files of the predecessor are taken too.',
    readOnly: 'Your token may look only: somebody with the role operator makes tasks.',
  },

  machine: 'Machine',
  cores: (n: number) => (n === 1 ? '1 core' : `${n} cores`),
  load: 'Load',
  loadOf: (load: string, cores: number) => `${load} on ${cores} cores`,
  loadHelp: 'Processes that ran or waited to run, on average of the last minute',
  memory: 'Memory',
  memoryOf: (used: string, all: string) => `${used} of ${all} used`,
  disk: 'Disk',
  diskFree: (free: string) => `${free} free`,
  gpuCount: (n: number) => (n === 1 ? '1 GPU' : `${n} GPUs`),
  noGpus: (reason: string) => `No GPUs: ${reason}. Engines run on the CPU.`,
  brokenGpus: (reason: string) => `The GPUs cannot be used: ${reason}`,
  gpuUnsaid:
    'Temperature and power are not reported here; the page of an experiment has the power of its GPUs. Curves begin when this page was opened.',
  gpu: (index: number, name: string) => `GPU ${index}: ${name}`,
  utilisation: 'Use',
  utilisationUnsaid: 'The driver does not say',
  gpuMemory: 'Memory',
  driver: (version: string, capability: string | null) =>
    `driver ${version}${capability ? `, compute capability ${capability}` : ''}`,
  sparkline: (what: string, last: string) => `${what} since this page was opened, now ${last}`,

  running: 'Running tasks',
  runningNone: 'Nothing runs',
  runningNoneText: 'Start a task, and its experiments appear here as blocks.',
  toTasks: 'To the tasks',

  workers: 'Workers',
  workersNone: 'No worker is there: nothing that is queued is done.',
  workersHow: 'How to start one',
  restart: (name: string) => `Restart ${name}`,

  queue: 'Queue',
  queueCounts: (waiting: number, running: number) => `${waiting} waiting, ${running} running`,
  queueOldest: 'the oldest since',
  queueEmpty: 'Nothing waits.',
  queueMore: (n: number) => `and ${n} more`,
  dead: (n: number) => (n === 1 ? '1 job was given up' : `${n} jobs were given up`),

  day: {
    title: 'Experiments of late',
    spans: { '1': '1 h', '6': '6 h', '24': '24 h' } as Record<string, string>,
    span: 'Time span',
    none: 'No experiment ran in this time',
    noneText: 'Experiments appear here as they run; a click opens one.',
    now: 'now',
    hours: (n: number) => `${n} h ago`,
    minutes: (n: number) => `${n} min ago`,
    bar: (number: number, state: string, time: string) => `Experiment ${number}: ${state}, ${time}`,
    bars: (n: number, states: string) => `${n} experiments: ${states}`,
    tasks: (n: number) => `the newest ${n} tasks of this time`,
    experiments: (n: number) => `the newest ${n} experiments of each task`,
    description: (experiments: number, tasks: number) =>
      `${experiments === 1 ? '1 experiment' : `${experiments} experiments`} of ${tasks === 1 ? '1 task' : `${tasks} tasks`}`,
    columns: ['Task', 'Experiment', 'State', 'Begun', 'Took, s'],
  },

  days: {
    title: 'Outcomes of the last days',
    note: 'Experiments by the day their task began',
    today: 'today',
    none: 'No task began in the last 7 days',
    total: (n: number) => (n === 1 ? '1 experiment' : `${n} experiments`),
    columns: ['Day', 'Tasks'],
    asTable: 'As a table',
    asBars: 'As bars',
  },

  ended: 'Lately ended',
  virtual: 'in virtual time',

  health: 'Health',
  healthGood: (n: number) => (n === 1 ? '1 check is good' : `${n} checks are good`),
  healthMissing: (engines: string) => `Not installed: ${engines}`,
  healthMissingHint: 'Engines',
  hint: 'What to do:',

  approvals: 'Waiting for you',
  approve: 'Look and decide',
};
