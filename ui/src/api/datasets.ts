import { useQuery } from '@tanstack/react-query';
import { api, ask, keyed } from './client';
import { keys } from './keys';
import { useAction } from './query';
import type { Schemas } from './types';

export function useDatasets() {
  return useQuery({
    queryKey: keys.datasets,
    queryFn: ({ signal }) => ask(api.GET('/api/datasets', { signal })),
    select: (list) => list.items,
  });
}

export type DatasetItem = Schemas['DatasetItem'];

/** How a number of tokens or turns is spread. `crates/tuner-bench/src/dataset/inspect.rs` */
export interface LengthSpread {
  known: number;
  unknown: number;
  mean: number;
  sd: number;
  min: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
  /** Upper end (inclusive) and count of each bar; the ends grow by equal factors. */
  histogram: [upTo: number, count: number][];
}

/** What a data set holds. */
export interface Inspection {
  format: string;
  rows: number;
  dropped: { reason: string; rows: number; first_line: number }[];
  input_tokens: LengthSpread | null;
  output_tokens: LengthSpread | null;
  arrivals: { span_s: number; rate: number; burstiness: number | null } | null;
  shared: number | null;
  turns?: LengthSpread;
  roles: [role: string, messages: number][];
  /** The first rows, shortened. */
  examples: Record<string, unknown>[];
}

export type DatasetDetail = DatasetItem & { inspection: Inspection };

export function useDataset(dataset: string) {
  return useQuery({
    queryKey: keys.dataset(dataset),
    queryFn: ({ signal }) =>
      ask(
        api.GET('/api/datasets/{dataset}', { params: { path: { dataset } }, signal }),
      ) as unknown as Promise<DatasetDetail>,
  });
}

export function useFetchDataset() {
  return useAction({
    run: (body: Schemas['FetchBody'], key) =>
      ask(api.POST('/api/datasets/fetch', { params: { header: keyed(key) }, body })),
  });
}

export function deleteDataset(dataset: string) {
  return ask(api.DELETE('/api/datasets/{dataset}', { params: { path: { dataset } } }));
}
