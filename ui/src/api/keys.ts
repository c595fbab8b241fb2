/** Names of what is kept of the server. Events forget them by these, so every query's name is made here. */
export const keys = {
  tasks: ['tasks'] as const,
  taskList: (filter: object) => ['tasks', 'list', filter] as const,
  /** Read part by part as somebody scrolls; only what happens to tasks themselves has it read again. */
  taskPages: (filter: object) => ['tasks', 'pages', filter] as const,
  task: (task: string) => ['tasks', 'one', task] as const,
  revisions: (task: string) => ['tasks', 'revisions', task] as const,
  taskCheck: (task: string) => ['tasks', 'check', task] as const,
  /** What a task's experiments gave and taught, computed by the server from all of them. */
  results: (task: string) => ['results', task] as const,
  report: (task: string) => ['results', task, 'report'] as const,
  insight: (task: string) => ['results', task, 'insight'] as const,
  /** Lists of a task's experiments, whatever fields they have. */
  experimentLists: (task: string) => ['experiments', task] as const,
  experimentList: (task: string, fields: readonly string[]) => ['experiments', task, fields.join()] as const,
  /** Everything of one experiment. */
  experiment: (task: string, number: number) => ['experiment', task, number] as const,
  experimentPart: (task: string, number: number, part: string, which?: object) =>
    ['experiment', task, number, part, which ?? {}] as const,
  /** What the server says about a document that is not stored. */
  document: (what: string, text: string, backend?: string) => ['document', what, text, backend ?? ''] as const,
  taskSchema: ['system', 'schema', 'task'] as const,
  presets: ['presets'] as const,
  preset: (name: string) => ['presets', 'one', name] as const,
  engines: ['engines'] as const,
  engine: (engine: string) => ['engines', 'one', engine] as const,
  engineParameters: (engine: string) => ['engines', 'parameters', engine] as const,
  datasets: ['datasets'] as const,
  dataset: (name: string) => ['datasets', 'one', name] as const,
  workers: ['workers'] as const,
  worker: (id: string) => ['workers', 'one', id] as const,
  jobs: ['jobs'] as const,
  jobList: (filter: object) => ['jobs', 'list', filter] as const,
  job: (id: string) => ['jobs', 'one', id] as const,
  /** What changes without an event: looked at again with each sign of life of the stream. */
  live: ['live'] as const,
  gpus: ['live', 'gpus'] as const,
  host: ['live', 'host'] as const,
  health: ['live', 'health'] as const,
  info: ['system', 'info'] as const,
  settings: ['system', 'settings'] as const,
  /** What the doctor says of the machine. */
  check: ['system', 'check'] as const,
  role: ['system', 'role'] as const,
  tokens: ['tokens'] as const,
  deployments: ['deployments'] as const,
  audit: ['audit'] as const,
  agent: ['agent'] as const,
  agentStatus: ['agent', 'status'] as const,
  agentTools: ['agent', 'tools'] as const,
  agentSettings: ['agent', 'settings'] as const,
  agentSessions: ['agent', 'sessions'] as const,
  agentSessionList: (search: string) => ['agent', 'sessions', 'list', search] as const,
  agentSession: (id: string) => ['agent', 'session', id] as const,
};
