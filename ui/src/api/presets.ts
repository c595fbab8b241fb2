import { useQuery } from '@tanstack/react-query';
import { api, ask, send } from './client';
import { keys } from './keys';
import { useAction } from './query';
import type { ParameterSpec, Schemas } from './types';

/** A preset as it is kept. `crates/tuner-app/src/presets.rs` */
export interface Preset {
  name: string;
  description?: string;
  category: string;
  /** Absent: flags that several engines have. */
  engine?: string;
  parameters: Record<string, ParameterSpec>;
  constraints?: string[];
  metadata?: Record<string, unknown>;
  /** It comes with the engine: it can be copied, not changed. */
  built_in: boolean;
  created_at?: string;
  updated_at?: string;
}

/** Every preset: those that people stored, then those that come with the engines. */
export function usePresets(filter: { category?: string; engine?: string } = {}) {
  return useQuery({
    queryKey: [...keys.presets, 'list', filter],
    queryFn: ({ signal }) => ask(api.GET('/api/presets', { params: { query: filter }, signal })),
    select: (list) => list.items as unknown as Preset[],
  });
}

/** A preset as the server writes it: as text, so that `1.0` stays a real number. */
export async function presetText(preset: string, signal?: AbortSignal): Promise<string> {
  return (await send(`/api/presets/${encodeURIComponent(preset)}`, { signal })).text();
}

const YAML = { 'content-type': 'application/yaml' };

/** Stores the text of a preset under a name that is free. */
export function useCreatePreset() {
  return useAction({
    run: async (text: string, key) => {
      return (await (await send('/api/presets', { method: 'POST', body: text, headers: YAML, key })).json()) as Preset;
    },
  });
}

export function useChangePreset() {
  return useAction({
    run: async ({ preset, text }: { preset: string; text: string }) => {
      const path = `/api/presets/${encodeURIComponent(preset)}`;
      return (await (await send(path, { method: 'PUT', body: text, headers: YAML })).json()) as Preset;
    },
  });
}

export function deletePreset(preset: string) {
  return ask(api.DELETE('/api/presets/{preset}', { params: { path: { preset } } }));
}

export type Existing = 'refuse' | 'skip' | 'replace';

export interface ImportedPresets {
  stored: Preset[];
  skipped: string[];
}

export function useImportPresets() {
  return useAction({
    run: async ({ text, existing }: { text: string; existing: Existing }, key) => {
      const path = `/api/presets/import?existing=${existing}`;
      return (await (await send(path, { method: 'POST', body: text, headers: YAML, key })).json()) as ImportedPresets;
    },
  });
}

export type Merge = 'union' | 'intersection' | 'last_wins';

/** Several presets as one. `crates/tuner-core/src/task/preset/merge.rs` */
export interface Merged {
  engine?: string;
  parameters: Record<string, ParameterSpec>;
  constraints: string[];
  presets: string[];
  conflicts: { parameter: string; preset: string; message: string; given?: unknown; kept?: unknown }[];
}

/** What several presets are together. */
export function useMerged(presets: readonly string[], merge: Merge) {
  return useQuery({
    queryKey: [...keys.presets, 'merged', merge, presets],
    queryFn: ({ signal }) => {
      const body: Schemas['MergeBody'] = { presets: [...presets], merge };
      return ask(api.POST('/api/presets/merge', { body, signal })) as unknown as Promise<Merged>;
    },
    enabled: presets.length > 0,
  });
}
