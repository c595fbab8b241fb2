import { describe, expect, test } from 'vitest';
import type { LiveEvent } from '@/api/types/chat';
import { heard, loaded, told } from './reduce';
import { Script } from './script';
import { liveRun, NO_TALK, type Talk } from './talk';
import { endOf, inOrder, queuedOf, turnsOf, waitingCalls } from './turns';

const script = Script.whole();
const { events } = script;

/** What people see of a conversation. */
function seen(talk: Talk) {
  return {
    messages: inOrder(talk).map(({ id, text, state, role }) => [id, role, state, text]),
    calls: [...talk.calls.values()].map(({ id, message, state }) => `${message}/${id}: ${state}`).sort(),
    turns: turnsOf(talk).map((turn) => turn.parts.map((part) => part.kind)),
    run: liveRun(talk)?.state ?? null,
  };
}

const follow = (talk: Talk, from: number) => events.slice(from).reduce(heard, talk);

describe('a conversation is the same however it is heard (R2.5, R5.1, R6.1)', () => {
  const whole = seen(follow(loaded(script.listAfter(0)), 0));

  test('loaded at any moment and followed from there', () => {
    for (let cut = 0; cut <= events.length; cut++) {
      expect(seen(follow(loaded(script.listAfter(cut)), cut)), `cut at ${cut}`).toEqual(whole);
    }
  });

  test('cut anywhere, with what was heard told again from any earlier moment', () => {
    for (let cut = 0; cut <= events.length; cut++) {
      const before = events.slice(0, cut).reduce(heard, loaded(script.listAfter(0)));
      for (let back = 0; back <= cut; back++) expect(seen(follow(before, back))).toEqual(whole);
    }
  });

  test('loaded anew in the middle, as after a backup was put back', () => {
    for (let cut = 1; cut <= events.length; cut++) {
      const before = events.slice(0, cut).reduce(heard, loaded(script.listAfter(0)));
      expect(seen(follow(loaded(script.listAfter(cut), before), cut))).toEqual(whole);
    }
  });

  test('two tabs that began at different moments show the same at each of them', () => {
    let [first, second] = [loaded(script.listAfter(3)), loaded(script.listAfter(9))];
    first = events.slice(3, 9).reduce(heard, first);
    for (const event of events.slice(9)) {
      [first, second] = [heard(first, event), heard(second, event)];
      expect(seen(first)).toEqual(seen(second));
    }
  });

  test('one message a message id, one call a call id', () => {
    const talk = follow(loaded(script.listAfter(0)), 0);
    expect(inOrder(talk).map(({ id }) => id)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
    expect([...talk.calls.keys()]).toEqual(['c1', 'c2', 'c3']);
  });

  test('a message that comes later than it was said stays in its place', () => {
    const s = new Script();
    const first = s.message('a', 'user', 'one');
    s.message('b', 'assistant', 'two');
    s.changed(first, { feedback: { good: true } });
    const talk = s.events.reduce(heard, loaded(s.listAfter(0)));
    expect(inOrder(talk).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(talk.messages.get('a')?.feedback?.good).toBe(true);
  });

  test('an event about a message before those that are shown does not show it', () => {
    const s = new Script();
    const first = s.message('a', 'user', 'one');
    s.message('b', 'assistant', 'two');
    s.message('c', 'user', 'three');
    s.changed(first, { text: 'one!' });
    const talk = s.events.slice(3).reduce(heard, loaded(s.listAfter(3, 2)));
    expect(inOrder(talk).map(({ id }) => id)).toEqual(['b', 'c']);
  });
});

describe('permission is a state of its own (R3.1, R3.2)', () => {
  test('a call that needs leave waits, and is not failed', () => {
    const talk = events.slice(0, 14).reduce(heard, loaded(script.listAfter(0)));
    expect(waitingCalls(talk).map(({ id, scope, state }) => [id, scope, state])).toEqual([
      ['c2', 'arq_control', 'waiting'],
    ]);
  });

  test('what other calls of the same answer do, and progress that comes late, does not change it', () => {
    const waits = events.slice(0, 11).reduce(heard, loaded(script.listAfter(0)));
    const later = told(events.slice(11, 14).reduce(heard, waits), { type: 'progress', call: 'c2', progress: {} });
    expect(later.calls.get('c2')?.state).toBe('waiting');
    expect(later.calls.get('c3')?.state).toBe('executed');
  });

  test('a real failure, a refusal, one that nobody answered, and one whose outcome is not known differ (R3.3)', () => {
    const s = new Script();
    s.message('m', 'assistant', '');
    const error = (code: string) => ({
      success: false,
      text: `{"success":false,"error":{"code":"${code}","message":"no"}}`,
      bytes: 1,
    });
    const at = '2026-11-28T10:00:00Z';
    s.call('a', 'm', 'failed', { result: error('refused') });
    s.call('b', 'm', 'failed', { result: error('unknown_outcome'), place: 1 });
    s.call('c', 'm', 'denied', { decided: { allowed: false, via: 'expiry', at }, place: 2 });
    s.call('d', 'm', 'denied', { decided: { allowed: false, via: 'person', at }, place: 3 });
    s.call('e', 'm', 'unknown_outcome', { place: 4 });
    const followed = s.events.reduce(heard, loaded(s.listAfter(0)));
    const states = (talk: Talk) => [...talk.calls.values()].map(({ state }) => state);
    expect(states(followed)).toEqual(['failed', 'unknown', 'expired', 'denied', 'unknown']);
    expect(states(loaded(s.listAfter(6))).slice(0, 4)).toEqual(['failed', 'unknown', 'expired', 'denied']);
  });
});

describe('the unfinished answer', () => {
  const begun: LiveEvent = { type: 'snapshot', message: 'm9', run: 'r1', text: 'Hel', reasoning: '', calls: [] };
  const delta = (text: string, message = 'm9'): LiveEvent => ({ type: 'delta', message, text });

  test('is its snapshot with the pieces after it', () => {
    const talk = [begun, delta('lo'), delta('!')].reduce(told, NO_TALK);
    expect(talk.unfinished?.text).toBe('Hello!');
  });

  test('a snapshot after a break takes the place of what was there', () => {
    const talk = [begun, delta('lo'), { ...begun, text: 'Hello, wor' } as LiveEvent, delta('ld')].reduce(told, NO_TALK);
    expect(talk.unfinished?.text).toBe('Hello, world');
  });

  test('pieces without a beginning, or of another answer, are no answer', () => {
    expect([delta('lo')].reduce(told, NO_TALK).unfinished).toBeNull();
    expect([begun, delta('no', 'm8')].reduce(told, NO_TALK).unfinished?.text).toBe('Hel');
  });

  test('ends with the whole message; a snapshot and pieces that come after it change nothing', () => {
    const s = new Script();
    s.message('m9', 'assistant', 'Hello!');
    const whole = s.events.reduce(heard, [begun, delta('lo')].reduce(told, loaded(s.listAfter(0))));
    const late = [begun, delta('lo')].reduce(told, whole);
    expect(late.unfinished).toBeNull();
    expect(inOrder(late).map(({ text }) => text)).toEqual(['Hello!']);
  });

  test('ends with its run, also where no message came of it', () => {
    const s = new Script();
    s.run('r1', 'stopped');
    expect(s.events.reduce(heard, [begun].reduce(told, NO_TALK)).unfinished).toBeNull();
  });

  test('is kept while the list is loaded anew, unless the list has it', () => {
    const s = new Script();
    s.message('m1', 'user', 'hi');
    const now = [begun].reduce(told, loaded(s.listAfter(0)));
    expect(loaded(s.listAfter(1), now).unfinished?.message).toBe('m9');
    s.message('m9', 'assistant', 'Hello!');
    expect(loaded(s.listAfter(2), now).unfinished).toBeNull();
  });
});

test('what was said meanwhile is queued until it is heard, and in no turn before', () => {
  const at = events.findIndex((event) => event.change === 'message' && event.row.id === 'm4') + 1;
  const talk = loaded(script.listAfter(at));
  expect(queuedOf(talk).map(({ text }) => text)).toEqual(['and hurry']);
  expect(turnsOf(talk)).toHaveLength(1);
  expect(queuedOf(follow(talk, at))).toEqual([]);
});

test('after ask, grant and execution there is one ticked card, then what the model says (R6.4)', () => {
  const talk = loaded(script.listAfter(events.length));
  const [first, second] = turnsOf(talk);
  expect(first?.parts.map((part) => (part.kind === 'card' ? `${part.call.id} ${part.call.state}` : part.kind))).toEqual(
    ['text', 'looks', 'c2 executed', 'looks'],
  );
  expect(second?.last?.text).toBe('It runs again.');
  expect(second?.last?.afterDecision).toBe(true);
});

describe('how the last run ended', () => {
  test('as it was heard', () => {
    const s = new Script();
    s.message('m', 'user', 'hi', { run: 'r1' });
    s.run('r1', 'failed');
    expect(endOf(s.events.reduce(heard, loaded(s.listAfter(0))))).toEqual({ ended: 'failed' });
    s.run('r2', 'thinking');
    expect(endOf(s.events.reduce(heard, loaded(s.listAfter(0))))).toBeNull();
    s.run('r2', 'completed');
    expect(endOf(s.events.reduce(heard, loaded(s.listAfter(0))))).toBeNull();
  });

  test('as what is there tells, after a reload', () => {
    const s = new Script();
    expect(endOf(loaded(s.listAfter(0)))).toBeNull();
    s.message('a', 'user', 'hi');
    expect(endOf(loaded(s.listAfter(1))), 'nobody answered').toEqual({ ended: 'stopped' });
    s.message('b', 'note', 'the model was not reached');
    expect(endOf(loaded(s.listAfter(2)))).toEqual({ ended: 'failed' });
    s.message('c', 'assistant', 'done');
    expect(endOf(loaded(s.listAfter(3)))).toBeNull();
    const list = s.listAfter(3);
    const last = list.items.at(-1);
    if (last) last.message_metadata.termination_reason = 'max_iterations';
    expect(endOf(loaded(list))).toEqual({ ended: 'limit_reached' });
  });
});
