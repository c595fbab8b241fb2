import { expect, test, vi } from 'vitest';
import { Course } from './course';

interface Opened {
  after: number;
  signal: AbortSignal;
  send: (event: object & { seq: number }) => void;
}

/** Streams that a test writes to. */
function scripted() {
  const opened: Opened[] = [];
  const open = (after: number, signal: AbortSignal) => {
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const send = (event: object & { seq: number }) =>
          controller.enqueue(encoder.encode(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`));
        opened.push({ after, signal, send });
      },
    });
    return Promise.resolve(new Response(body));
  };
  return { opened, course: new Course(open) };
}

const phase = (seq: number, experiment: number) => ({ seq, experiment, kind: 'phase', attempt: 1, phase: 'loading' });
const end = (seq: number, experiment: number) => ({ seq, experiment, kind: 'experiment_ended' });

test('events are read until the wanted experiment has ended, and go on from there for a later one', async () => {
  const { opened, course } = scripted();
  const told = vi.fn();
  const release = course.want(2, told);
  await vi.waitFor(() => expect(opened).toHaveLength(1));
  expect(opened[0]?.after).toBe(0);
  for (const event of [phase(1, 1), end(2, 1), phase(5, 2), end(9, 2)]) opened[0]?.send(event);
  await vi.waitFor(() => expect(course.of(2)).toHaveLength(2));
  await vi.waitFor(() => expect(opened[0]?.signal.aborted).toBe(true));
  await vi.waitFor(() => expect(told).toHaveBeenCalled());
  release();

  // What is known is not asked for again.
  course.want(1, told)();
  expect(opened).toHaveLength(1);

  const later = course.want(3, told);
  await vi.waitFor(() => expect(opened).toHaveLength(2));
  expect(opened[1]?.after).toBe(9);
  later();
  await vi.waitFor(() => expect(opened[1]?.signal.aborted).toBe(true));
});
