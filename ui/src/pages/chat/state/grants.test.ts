import { expect, test } from 'vitest';
import type { GrantRow } from '@/api/types/chat';
import { isLive, readOthersAt } from './grants';
import { heard, loaded } from './reduce';
import { Script } from './script';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const grant = (more: Partial<GrantRow> = {}): GrantRow => ({
  id: 'g',
  scope: 'task_run',
  limits: {},
  uses: 0,
  spent: { experiments: 0, gpu_seconds: 0 },
  by: 'me',
  created_at: '2026-11-28T11:00:00Z',
  ...more,
});

test('leave ends when it is taken back, when its time is over, and when it is used up', () => {
  expect(isLive(grant(), NOW)).toBe(true);
  expect(isLive(grant({ revoked_at: '2026-11-28T11:30:00Z' }), NOW)).toBe(false);
  expect(isLive(grant({ expires_at: '2026-11-28T12:00:00Z' }), NOW)).toBe(false);
  expect(isLive(grant({ expires_at: '2026-11-28T12:00:01Z' }), NOW)).toBe(true);
  expect(isLive(grant({ limits: { uses: 2 }, uses: 2 }), NOW)).toBe(false);
  expect(isLive(grant({ calls: [] }), NOW)).toBe(false);
  expect(isLive(grant({ calls: ['d'] }), NOW)).toBe(true);
});

test('text that others wrote is noticed where a result is marked', () => {
  const s = new Script();
  s.message('m', 'assistant', '');
  s.call('a', 'm', 'succeeded', {
    result: { success: true, text: '{"success":true}', bytes: 1 },
    ended_at: '2026-11-28T11:00:00Z',
  });
  expect(readOthersAt(s.events.reduce(heard, loaded(s.listAfter(0))))).toBe(Number.NEGATIVE_INFINITY);
  const text = '<untrusted source="get_task_logs">\n{}\n</untrusted>';
  s.call('b', 'm', 'succeeded', {
    result: { success: true, text, bytes: 1 },
    ended_at: '2026-11-28T11:30:00Z',
    place: 1,
  });
  expect(readOthersAt(s.events.reduce(heard, loaded(s.listAfter(0))))).toBe(Date.parse('2026-11-28T11:30:00Z'));
});
