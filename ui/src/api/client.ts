import createClient, { type Middleware } from 'openapi-fetch';
import { asApiError, errorOf, isAbort } from './error';
import { newKey } from './key';
import type { paths } from './schema';
import { currentSession, refuse } from './session';

const door: Middleware = {
  onRequest({ request }) {
    const { token } = currentSession();
    if (token) request.headers.set('authorization', `Bearer ${token}`);
    if (request.method === 'POST' && !request.headers.has('idempotency-key')) {
      request.headers.set('idempotency-key', newKey());
    }
    return request;
  },
  onResponse({ request, response }) {
    if (response.status === 401) refuse(tokenOf(request));
  },
};

function tokenOf(request: Request): string | null {
  return request.headers.get('authorization')?.replace(/^Bearer /, '') ?? null;
}

/** The typed client: `ask(api.GET('/api/tasks', {…}))`. */
export const api = createClient<paths>({
  // Absolute, so that tests outside a browser may use it.
  baseUrl: globalThis.location?.origin ?? 'http://localhost',
  fetch: (request) => globalThis.fetch(request),
  headers: { accept: 'application/json' },
});
api.use(door);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What an answer holds; throws an `ApiError` if it holds none. */
export async function ask<T>(answer: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await answer;
  } catch (thrown) {
    throw isAbort(thrown) ? thrown : asApiError(thrown);
  }
  if (!got.response.ok) throw errorOf(got.response, got.error);
  return got.data as T;
}

/**
 * A request outside the typed client: uploads, texts, streams. Throws an `ApiError` for what is no success. A `POST` that
 * changes nothing has `key: null`, so that its answer is kept nowhere.
 */
export async function send(path: string, init: RequestInit & { key?: string | null } = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const { token } = currentSession();
  if (token) headers.set('authorization', `Bearer ${token}`);
  if (init.method === 'POST' && init.key !== null) headers.set('idempotency-key', init.key ?? newKey());
  let response: Response;
  try {
    response = await globalThis.fetch(path, { ...init, headers });
  } catch (thrown) {
    throw isAbort(thrown) ? thrown : asApiError(thrown);
  }
  if (response.status === 401) refuse(token);
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // The text itself is all there is.
  }
  throw errorOf(response, body);
}

/** Header of a user's action, for `params`. */
export function keyed(key: string): { 'idempotency-key': string } {
  return { 'idempotency-key': key };
}
