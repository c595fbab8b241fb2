import { useQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { keys } from './keys';
import { all } from './page';
import type { ExperimentDetail, ExperimentItem, Measurement, Series } from './types';

export type ExperimentField = keyof ExperimentItem;

/** What lists and plots of a task usually need. One set, so that pages share what is kept. */
export const EXPERIMENT_FIELDS: readonly ExperimentField[] = [
  'number',
  'role',
  'configuration',
  'outcome',
  'result',
  'objective',
  'score',
  'created_at',
  'ended_at',
  'elapsed_s',
];

/** All experiments of a task, by number. Events keep the list in step; `task` is best the task's id. */
export function experimentsQuery(task: string, fields: readonly ExperimentField[] = EXPERIMENT_FIELDS) {
  return {
    queryKey: keys.experimentList(task, fields),
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      all((cursor) => {
        const params = { path: { task }, query: { fields: fields.join(), cursor, limit: 500 } };
        return ask(api.GET('/api/tasks/{task}/experiments', { params, signal })) as unknown as Promise<{
          items: ExperimentItem[];
        }>;
      }),
  };
}

export function useExperiments(task: string, fields?: readonly ExperimentField[]) {
  return useQuery(experimentsQuery(task, fields));
}

/** Everything of an experiment. */
export function experimentQuery(task: string, number: number) {
  return {
    queryKey: keys.experimentPart(task, number, 'detail'),
    queryFn: ({ signal }: { signal: AbortSignal }) => {
      const params = { path: { task, number } };
      return ask(
        api.GET('/api/tasks/{task}/experiments/{number}', { params, signal }),
      ) as unknown as Promise<ExperimentDetail>;
    },
  };
}

export function useExperiment(task: string, number: number) {
  return useQuery(experimentQuery(task, number));
}

export interface PlacedMeasurement {
  attempt: number;
  label: string;
  measurement: Measurement;
}

export function measurementsQuery(task: string, number: number) {
  return {
    queryKey: keys.experimentPart(task, number, 'measurements'),
    queryFn: ({ signal }: { signal: AbortSignal }) => {
      const params = { path: { task, number } };
      return ask(api.GET('/api/tasks/{task}/experiments/{number}/measurements', { params, signal }));
    },
    select: (list: { items: unknown[] }) => list.items as PlacedMeasurement[],
  };
}

export function useMeasurements(task: string, number: number) {
  return useQuery(measurementsQuery(task, number));
}

export interface Which {
  attempt?: number;
  level?: number;
  repeat?: number;
}

export function useSeries(task: string, number: number, which: Which = {}) {
  return useQuery({
    queryKey: keys.experimentPart(task, number, 'series', which),
    queryFn: ({ signal }) => {
      const params = { path: { task, number }, query: which };
      return ask(api.GET('/api/tasks/{task}/experiments/{number}/series', { params, signal }));
    },
    select: (list) => list.items as unknown as Series[],
  });
}

/** A part of an experiment's log; without `offset` its end. */
export function readLog(task: string, number: number, query: { attempt?: number; offset?: number; limit?: number }) {
  const params = { path: { task, number }, query };
  return ask(api.GET('/api/tasks/{task}/experiments/{number}/log', { params }));
}
