import type { Query, QueryClient, QueryKey } from '@tanstack/react-query';
import { keys } from '@/api/keys';
import type { ExperimentItem } from '@/api/types';
import { Throttle } from './throttle';
import type { EventOf, ServerEvent } from './types';

/** How often a list is read again at most while events come in, ms. */
const LIST = 1000;
const LONG_LIST = 2000;
const DETAIL = 500;
/** The report and what is learned from it grow with every experiment, and the server computes them from all. */
const RESULTS = 5000;
/** Signs of life of the stream come as often as events do; what has no events is read again this often at most. */
const LIVE = 10_000;

/** Keeps what is kept of the server in step with its events. */
export class Effects {
  readonly #throttle = new Throttle();

  constructor(private readonly client: QueryClient) {}

  /** Whatever is kept may be stale. */
  gap() {
    void this.client.invalidateQueries();
  }

  pulse() {
    this.#forget(keys.live, LIVE);
    this.#forget(keys.workers, LIVE);
  }

  apply(event: ServerEvent) {
    switch (event.kind) {
      case 'task_created':
      case 'task_deleted':
        this.#forget(keys.tasks, LIST);
        break;
      case 'task_revised':
      case 'task_started':
      case 'task_reopened':
      case 'cancel_requested':
      case 'task_ended':
      case 'task_archived':
      case 'task_unarchived':
        this.#forget(keys.tasks, LIST);
        if (event.task) {
          this.#forget(keys.experimentLists(event.task), LONG_LIST);
          this.#forget(keys.results(event.task), LIST);
        }
        break;
      case 'experiment_created':
        this.#patch(event, (items) => added(items, event));
        this.#task(event.task);
        break;
      case 'experiment_ended':
        this.#patch(event, (items) => ended(items, event));
        this.#task(event.task);
        this.#experiment(event);
        if (event.task) this.#forget(keys.results(event.task), RESULTS);
        this.#forget(keys.gpus, LIST);
        break;
      case 'attempt_started':
      case 'attempt_ended':
      case 'evidence':
      case 'read_back':
      case 'level_measured':
      case 'deployment_launched':
      case 'deployment_stopped':
        this.#experiment(event);
        if (event.kind === 'attempt_started' || event.kind === 'attempt_ended') this.#task(event.task);
        if (event.kind.startsWith('deployment_')) this.#forget(keys.deployments, LIST);
        break;
      case 'deployment_reserved':
        this.#forget(keys.deployments, LIST);
        break;
      case 'job':
      case 'jobs_purged':
        this.#forget(keys.jobs, LIST);
        this.#forget(keys.workers, LIST);
        if (event.kind === 'job' && event.change === 'ended') this.#installed();
        break;
      case 'worker':
        this.#forget(keys.workers, LIST);
        break;
      case 'chat':
        this.#forget(keys.agentSessions, LIST);
        break;
      case 'shelf':
        this.#forget(event.item === 'preset' ? keys.presets : keys.datasets, LIST);
        break;
      default:
        break;
    }
  }

  stop() {
    this.#throttle.clear();
  }

  /** A job that ended may have installed an engine. */
  #installed() {
    this.#forget(keys.engines, LIST);
    this.#forget(keys.check, LIST);
  }

  /** Lists of tasks, and the one: its key may be its name, so the answer that is kept says which it is. */
  #task(id: string | undefined) {
    if (id === undefined) return;
    this.#forget(['tasks', 'list'], LIST);
    this.#throttle.ask(`task ${id}`, DETAIL, () => {
      const isIt = (query: Query) => {
        const [, part, name] = query.queryKey;
        return part === 'one' && (name === id || (query.state.data as { id?: string } | undefined)?.id === id);
      };
      void this.client.invalidateQueries({ queryKey: keys.tasks, predicate: isIt });
    });
    this.#forget(keys.experimentLists(id), LONG_LIST);
  }

  #experiment(event: ServerEvent) {
    if (event.task === undefined || event.experiment === undefined) return;
    this.#forget(keys.experiment(event.task, event.experiment), DETAIL);
  }

  #forget(queryKey: QueryKey, interval: number) {
    this.#throttle.ask(JSON.stringify(queryKey), interval, () => void this.client.invalidateQueries({ queryKey }));
  }

  /** Shows at once what an event says; the list is read again soon after. */
  #patch(event: ServerEvent, change: (items: ExperimentItem[]) => ExperimentItem[]) {
    if (event.task === undefined || event.experiment === undefined) return;
    const filter = { queryKey: keys.experimentLists(event.task) };
    this.client.setQueriesData<ExperimentItem[]>(filter, (items) => items && change(items));
  }
}

function added(items: ExperimentItem[], event: EventOf<'experiment_created'>): ExperimentItem[] {
  const number = event.experiment ?? 0;
  if (items.some((item) => item.number === number)) return items;
  const { role, configuration, at } = event;
  const item: ExperimentItem = {
    number,
    role,
    configuration,
    outcome: 'open',
    result: null,
    objective: null,
    score: null,
    created_at: at,
    ended_at: null,
    elapsed_s: null,
  };
  return [...items, item].sort((a, b) => a.number - b.number);
}

function ended(items: ExperimentItem[], event: EventOf<'experiment_ended'>): ExperimentItem[] {
  const score = event.score ?? null;
  const end = {
    outcome: event.outcome.kind,
    result: event.outcome,
    score,
    objective: score?.objectives[0] ?? null,
    ended_at: event.at,
  };
  return items.map((item) => (item.number === event.experiment ? { ...item, ...end } : item));
}
