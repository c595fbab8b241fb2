import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Schema } from '@/document/schema';
import { api, ask, send } from './client';
import type { Finding } from './error';
import { keys } from './keys';
import type { Schemas, TaskSpec } from './types';

/** Where a predecessor's task shall run instead of what it says. */
export type ImportBackend = 'local' | 'virtual';

export interface Validation {
  valid: boolean;
  imported: boolean;
  findings: Finding[];
  remarks: string[];
  summary: string | null;
  task: TaskSpec | null;
  /** The answer as it came: numbers in it are written as the server writes them. */
  raw: string;
  /** The text that it is about. */
  of: string;
}

const JSON_BODY = { 'content-type': 'application/json' };

async function check(path: string, text: string, signal?: AbortSignal, backend?: ImportBackend): Promise<string> {
  const body = JSON.stringify({ text, backend });
  // These change nothing: their answers need not be kept for a second try.
  const answer = await send(path, { method: 'POST', body, headers: JSON_BODY, signal, key: null });
  return answer.text();
}

export async function validateTask(text: string, signal?: AbortSignal, backend?: ImportBackend): Promise<Validation> {
  const raw = await check('/api/tasks/validate', text, signal, backend);
  return { ...(JSON.parse(raw) as Omit<Validation, 'raw' | 'of'>), raw, of: text };
}

const SHORT_MS = 60_000;

/** Everything that is wrong with a document; of the one before until the answer is there (`of` says which). */
export function useValidation(text: string | null, backend?: ImportBackend) {
  return useQuery({
    queryKey: keys.document('validate', text ?? '', backend),
    queryFn: ({ signal }) => validateTask(text ?? '', signal, backend),
    enabled: text !== null,
    placeholderData: keepPreviousData,
    gcTime: SHORT_MS,
  });
}

/** What a valid document would cost. */
export function useEstimate(text: string | null) {
  return useQuery({
    queryKey: keys.document('estimate', text ?? ''),
    queryFn: async ({ signal }) =>
      JSON.parse(await check('/api/tasks/estimate', text ?? '', signal)) as Schemas['EstimateBody'],
    enabled: text !== null,
    placeholderData: keepPreviousData,
    gcTime: SHORT_MS,
  });
}

/** What a valid document would start: command lines, and what cannot run. */
export function usePreview(text: string | null, limit = 20) {
  return useQuery({
    queryKey: keys.document(`preview ${limit}`, text ?? ''),
    queryFn: async ({ signal }) =>
      JSON.parse(await check(`/api/tasks/preview?limit=${limit}`, text ?? '', signal)) as Schemas['PreviewBody'],
    enabled: text !== null,
    placeholderData: keepPreviousData,
    gcTime: SHORT_MS,
  });
}

/** The JSON Schema of task documents. */
export function useTaskSchema() {
  return useQuery({
    queryKey: keys.taskSchema,
    queryFn: ({ signal }) => ask(api.GET('/api/schema/task', { signal })) as Promise<unknown> as Promise<Schema>,
  });
}
