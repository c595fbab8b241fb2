import { useQuery } from '@tanstack/react-query';
import { api, ask, keyed, send } from './client';
import { keys } from './keys';
import { useAction } from './query';
import type { Schemas } from './types';

export type Preset = Schemas['PresetItem'];
export type PresetDocument = Schemas['PresetDocument'];

export function usePresets(filter: { category?: string; engine?: string } = {}) {
  return useQuery({
    queryKey: [...keys.presets, 'list', filter],
    queryFn: ({ signal }) => ask(api.GET('/api/presets', { params: { query: filter }, signal })),
    select: (list) => list.items,
  });
}

export function usePreset(preset: string) {
  return useQuery({
    queryKey: keys.preset(preset),
    queryFn: ({ signal }) => ask(api.GET('/api/presets/{preset}', { params: { path: { preset } }, signal })),
  });
}

export function useCreatePreset() {
  return useAction({
    run: (body: PresetDocument, key) => ask(api.POST('/api/presets', { params: { header: keyed(key) }, body })),
  });
}

export function useChangePreset() {
  return useAction({
    run: ({ preset, body }: { preset: string; body: PresetDocument }) =>
      ask(api.PUT('/api/presets/{preset}', { params: { path: { preset } }, body })),
  });
}

export function deletePreset(preset: string) {
  return ask(api.DELETE('/api/presets/{preset}', { params: { path: { preset } } }));
}

export function useImportPresets() {
  return useAction({
    run: async ({ text, existing }: { text: string; existing?: 'refuse' | 'skip' | 'replace' }, key) => {
      const path = `/api/presets/import${existing ? `?existing=${existing}` : ''}`;
      const headers = { 'content-type': 'application/yaml' };
      const answer = await send(path, { method: 'POST', body: text, headers, key });
      return (await answer.json()) as Schemas['ImportedPresets'];
    },
  });
}

/** What several presets and a task's own parameters make together. */
export function mergePresets(body: Schemas['MergeBody']) {
  return ask(api.POST('/api/presets/merge', { body }));
}
