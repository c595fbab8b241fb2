import { useQuery } from '@tanstack/react-query';
import { api, ask } from './client';
import { keys } from './keys';
import type { ParameterSpec } from './types';

/** A flag of an engine. `crates/tuner-engines/src/catalogue.rs` */
export type EngineParameter = {
  name: string;
  aliases?: string[];
  /** May be given several times. */
  many?: boolean;
  default?: string;
  help: string;
  group: string;
  since?: string;
  conflicts?: string[];
  /** What a change costs; absent: a restart. */
  change?: 'hot' | 'reload' | 'restart';
  /** Values worth trying. */
  tunable?: ParameterSpec;
  removed?: boolean;
} & (
  | { kind: 'switch'; form: 'present' | 'paired'; off?: string; off_aliases?: string[] }
  | { kind: 'int'; words?: string[]; suffix?: boolean }
  | { kind: 'float' | 'text' }
  | { kind: 'choice'; values: string[] }
);

export function useEngines() {
  return useQuery({
    queryKey: keys.engines,
    queryFn: ({ signal }) => ask(api.GET('/api/engines', { signal })),
    select: (list) => list.items,
  });
}

export function useEngine(engine: string) {
  return useQuery({
    queryKey: keys.engine(engine),
    queryFn: ({ signal }) => ask(api.GET('/api/engines/{engine}', { params: { path: { engine } }, signal })),
  });
}

/** The engine's catalogue; see `EngineParameter`. */
export function useEngineParameters(engine: string) {
  return useQuery({
    queryKey: keys.engineParameters(engine),
    queryFn: ({ signal }) => ask(api.GET('/api/engines/{engine}/parameters', { params: { path: { engine } }, signal })),
    select: (list) => list.items as unknown as EngineParameter[],
    enabled: engine !== '',
  });
}
