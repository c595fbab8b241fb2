/** The page's event stream against a real service that dies. It needs no browser. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, EventStream } from '@/events/stream';
import type { ServerEvent } from '@/events/types';
import { Service, until } from './service';
import { createTask, simulatedTask, taskEnd } from './tasks';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(() => service?.stop());

async function everything(): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  const stream = new EventStream({
    open: (after, signal) =>
      fetch(`${service.url}/api/events?after=0`, {
        signal,
        headers: after === null ? {} : { 'last-event-id': `${after}` },
      }),
    onEvent: (event) => events.push(event),
    onGap: () => {},
  });
  stream.start();
  let before = -1;
  await until('all events', async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const quiet = events.length > 0 && events.length === before;
    before = events.length;
    return quiet;
  });
  stream.stop();
  return events;
}

test('a service that is killed while a task runs costs no event, and doubles none', async () => {
  const heard: ServerEvent[] = [];
  const states: Connection[] = [];
  const stream = new EventStream({
    open: (after, signal) => {
      const headers: Record<string, string> = after === null ? {} : { 'last-event-id': String(after) };
      return fetch(`${service.url}/api/events`, { signal, headers });
    },
    onEvent: (event) => heard.push(event),
    onGap: () => {},
    onConnection: (state) => states.push(state),
  });
  stream.start();
  await until('the stream', () => stream.state === 'online');
  const { id } = await createTask(service, simulatedTask({ name: 'killed', experiments: 40 }));
  await service.request('POST', `/api/tasks/${id}/start`);
  await until('an experiment', () => heard.some((event) => event.kind === 'experiment_ended'));
  await service.kill();
  await until('offline', () => stream.state === 'offline');
  await service.run();
  await until('the stream', () => stream.state === 'online');
  await taskEnd(service, id);
  const all = await everything();
  const last = all.at(-1)?.seq ?? 0;
  await until('the last event', () => (stream.cursor ?? 0) >= last);
  stream.stop();
  const first = heard[0]?.seq ?? 0;
  expect(heard.map((event) => event.seq)).toEqual(all.map((event) => event.seq).filter((seq) => seq >= first));
  expect(heard.some((event) => event.kind === 'task_ended')).toBe(true);
  expect(states).toEqual(['online', 'reconnecting', 'offline', 'online']);
});
