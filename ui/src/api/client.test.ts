import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { api, ask, keyed, send } from './client';
import { ApiError, isAbort } from './error';
import { ActionKey, newKey } from './key';
import { all } from './page';
import { currentSession, refuse, signIn, signOut } from './session';

const sent: Request[] = [];
let answer: () => Response | Promise<Response>;

beforeEach(() => {
  sent.length = 0;
  answer = () => Response.json({ items: [] });
  vi.stubGlobal('fetch', async (input: RequestInfo, init?: RequestInit) => {
    sent.push(typeof input === 'string' ? new Request(new URL(input, 'http://localhost'), init) : input);
    return answer();
  });
  signOut();
});
afterEach(() => vi.unstubAllGlobals());

test('each POST has a key, and the one that it is given', async () => {
  const path = { task: 't' };
  await ask(api.POST('/api/tasks/{task}/start', { params: { path } }));
  await ask(api.POST('/api/tasks/{task}/start', { params: { path } }));
  await ask(api.POST('/api/tasks/{task}/start', { params: { path, header: keyed('k1') } }));
  await ask(api.GET('/api/tasks'));
  const keysSent = sent.map((request) => request.headers.get('idempotency-key'));
  expect(keysSent[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keysSent[1]).not.toBe(keysSent[0]);
  expect(keysSent[2]).toBe('k1');
  expect(keysSent[3]).toBeNull();
});

test('an action keeps its key until it is known what came of it', () => {
  const action = new ActionKey();
  const first = action.take({ task: 't' });
  expect(action.take({ task: 't' })).toBe(first);
  expect(action.take({ task: 'other' })).not.toBe(first);
  const again = action.take({ task: 'other' });
  action.settle();
  expect(action.take({ task: 'other' })).not.toBe(again);
  expect(newKey()).not.toBe(newKey());
});

test('the token goes with every request, and a wrong one is known as that', async () => {
  signIn('secret');
  await ask(api.GET('/api/tasks'));
  await send('/api/tasks/validate', { method: 'POST', body: 'name: x' });
  expect(sent.map((request) => request.headers.get('authorization'))).toEqual(['Bearer secret', 'Bearer secret']);
  answer = () => Response.json({ code: 'token_wrong', message: 'no', request_id: 'r' }, { status: 401 });
  await expect(ask(api.GET('/api/tasks'))).rejects.toMatchObject({ status: 401, code: 'token_wrong' });
  expect(currentSession().refused).toBe('wrong');
});

test('an answer to an older token does not sign out the newer one', () => {
  signIn('new');
  refuse('old');
  expect(currentSession().refused).toBeNull();
});

test('an error says what the server said', async () => {
  const body = { code: 'name_taken', message: 'the name is taken', hint: 'choose another', request_id: 'r1' };
  answer = () => Response.json(body, { status: 409 });
  const error = await ask(api.GET('/api/tasks')).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 409,
    code: 'name_taken',
    message: 'the name is taken',
    hint: 'choose another',
    requestId: 'r1',
  });
  expect(error.mayPass).toBe(false);
});

test('an answer of a proxy and no answer at all are errors too', async () => {
  answer = () => new Response('<html>Bad gateway</html>', { status: 502 });
  const gateway = await ask(api.GET('/api/tasks')).catch((thrown) => thrown);
  expect(gateway).toMatchObject({ status: 502 });
  expect(gateway.mayPass).toBe(true);
  answer = () => Promise.reject(new TypeError('Failed to fetch'));
  await expect(ask(api.GET('/api/tasks'))).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  answer = () => Promise.reject(new DOMException('gone', 'AbortError'));
  expect(isAbort(await ask(api.GET('/api/tasks')).catch((thrown) => thrown))).toBe(true);
});

test('all parts of a list are read, in order', async () => {
  const parts: Record<string, { items: number[]; next_cursor: string | null }> = {
    first: { items: [1, 2], next_cursor: 'b' },
    b: { items: [3], next_cursor: 'c' },
    c: { items: [], next_cursor: null },
  };
  const read = async (cursor: string | undefined) => parts[cursor ?? 'first'] ?? { items: [] };
  expect(await all(read)).toEqual([1, 2, 3]);
  expect(await all(read, 2)).toEqual([1, 2]);
});
