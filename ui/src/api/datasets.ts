import { useQuery } from '@tanstack/react-query';
import { api, ask, keyed, send } from './client';
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

export function useDataset(dataset: string) {
  return useQuery({
    queryKey: keys.dataset(dataset),
    queryFn: ({ signal }) => ask(api.GET('/api/datasets/{dataset}', { params: { path: { dataset } }, signal })),
  });
}

export function useUploadDataset() {
  return useAction({
    run: async ({ name, file }: { name: string; file: Blob }, key) => {
      const path = `/api/datasets?name=${encodeURIComponent(name)}`;
      const headers = { 'content-type': 'application/octet-stream' };
      const answer = await send(path, { method: 'POST', body: file, headers, key });
      return (await answer.json()) as Schemas['KeptItem'];
    },
  });
}

export function useFetchDataset() {
  return useAction({
    run: (body: Schemas['FetchBody'], key) =>
      ask(api.POST('/api/datasets/fetch', { params: { header: keyed(key) }, body })),
  });
}

export function inspectDataset(body: Schemas['InspectBody'], signal?: AbortSignal) {
  return ask(api.POST('/api/datasets/inspect', { body, signal }));
}

export function deleteDataset(dataset: string) {
  return ask(api.DELETE('/api/datasets/{dataset}', { params: { path: { dataset } } }));
}
