import { expect, test } from 'vitest';
import { experimentLinks, type KnownTasks } from './experiments';

const known: KnownTasks = {
  ids: new Map([
    ['support-chat', 'id1'],
    ['chat', 'id2'],
    ['them', 'id3'],
  ]),
};
const links = (text: string, with_ = known) =>
  experimentLinks(text, with_).map(({ from, to, href }) => [text.slice(from, to), href]);

test('numbers that name an experiment of a known task are links', () => {
  expect(links('See experiment 12 of support-chat, and Experiment #3 in task "chat".')).toEqual([
    ['experiment 12 of support-chat', '/tasks/id1/experiments/12'],
    ['Experiment #3 in task "chat"', '/tasks/id2/experiments/3'],
  ]);
});

test('numbers of tasks that nobody knows, and numbers alone, are not', () => {
  expect(links('experiment 12 of something, experiment 4 failed, 12 experiments of chat')).toEqual([]);
});

test('numbers alone are, where one task is talked about', () => {
  expect(links('experiment 4 failed as experiment 5 did', { ...known, only: 'id1' })).toEqual([
    ['experiment 4', '/tasks/id1/experiments/4'],
    ['experiment 5', '/tasks/id1/experiments/5'],
  ]);
});
