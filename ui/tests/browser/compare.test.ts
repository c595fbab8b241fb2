import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskDetail } from '../../src/api/types';
import {
  createTask,
  expectAccessible,
  open,
  runTask,
  type Stage,
  shot,
  simulatedTask,
  taskEnd,
  troublesOf,
} from './harness';
import { isTooWide, LOOKS } from './looks';

let stage: Stage;
let task: TaskDetail;
let twin: TaskDetail;
let other: TaskDetail;
/** Simulated as a process: it has logs. */
let logged: TaskDetail;

beforeAll(async () => {
  stage = await open();
  task = await runTask(stage.service, { name: 'one', experiments: 16 });
  twin = await runTask(stage.service, { name: 'the-same-with-more', experiments: 24 });
  const load = simulatedTask({ name: 'other-load' }).replace('{concurrency: 48}', '{concurrency: 16}');
  const { id } = await createTask(stage.service, load);
  await stage.service.request('POST', `/api/tasks/${id}/start`);
  other = await taskEnd(stage.service, id);
  const process = simulatedTask({ name: 'logged', experiments: 3, more: 'verification: {blocks: 0}' })
    .replace('hardware: {gpu: a100-40g}', 'hardware: {gpu: a100-40g, speed: 30}')
    .replace('kind: virtual', 'kind: local')
    .replace('requests: 100', 'requests: 20');
  const made = await createTask(stage.service, process);
  await stage.service.request('POST', `/api/tasks/${made.id}/start`);
  logged = await taskEnd(stage.service, made.id);
});
afterAll(() => stage?.close());

describe('experiments side by side', () => {
  test.each(LOOKS)('differ in what is shown, accessibly, %s at %d px', async (theme, width) => {
    const best = task.verdict?.best ?? 4;
    const page = await stage.page(`/compare?task=${task.id}&sel=1,2,${best}`, { theme, width });
    await page.getByRole('region', { name: 'Side by side' }).last().waitFor();
    await page.getByRole('img', { name: /^Latency percentiles/ }).waitFor();
    await page.getByText('Verification pairs').waitFor();
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
    await expectAccessible(page);
    await shot(page, `compare-${theme}-${width}`, true);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide).toBe(false);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('show all rows on demand, mark the best by word and shape, and leave one out', async () => {
    const page = await stage.page(`/compare?task=${task.id}&sel=1,2,4`);
    const table = page.getByRole('region', { name: 'Side by side' }).last();
    await table.waitFor();
    expect(await table.getByText('best').count()).toBeGreaterThan(2);
    const few = await table.getByRole('row').count();
    await page.getByRole('switch', { name: 'Differences only' }).click();
    await expect.poll(() => table.getByRole('row').count()).toBeGreaterThan(few);
    expect(new URL(page.url()).search).toContain('all=1');
    await page.getByRole('button', { name: 'Leave out #2' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('sel')).toBe('1,4');
    expect(await table.getByRole('link', { name: '#2' }).count()).toBe(0);
    await page.context().close();
  });

  test('are chosen by search when the address names none', async () => {
    const page = await stage.page('/compare');
    await page.getByRole('combobox', { name: 'Task' }).fill('one');
    await page.getByRole('option', { name: /^one/ }).click();
    await page.getByRole('checkbox', { name: 'Select #1', exact: true }).click();
    await page.getByRole('checkbox', { name: 'Select #5', exact: true }).click();
    await expectAccessible(page);
    await shot(page, 'compare-pick-light-1440');
    await page.getByRole('button', { name: 'Compare these 2' }).click();
    await page.getByRole('link', { name: '#5' }).waitFor();
    const { searchParams } = new URL(page.url());
    expect([searchParams.get('task'), searchParams.get('sel')]).toEqual([task.id, '1,5']);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });
});

describe('logs side by side', () => {
  test.each(LOOKS)('are read when they are opened, and searched as one, %s at %d px', async (theme, width) => {
    const page = await stage.page(`/compare?task=${logged.id}&sel=1,2`, { theme, width });
    const asked: string[] = [];
    page.on('request', (request) => request.url().includes('/log') && asked.push(request.url()));
    const panel = page.getByRole('region', { name: 'Logs', exact: true });
    await panel.getByRole('button', { name: 'Show the logs' }).waitFor();
    expect(asked).toEqual([]);
    await panel.getByRole('button', { name: 'Show the logs' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('logs')).toBe('1');
    const columns = [1, 2].map((number) => panel.getByRole('region', { name: `Log of experiment ${number}` }));
    for (const column of columns) await column.getByText('Application startup complete.').waitFor();
    await panel.getByRole('searchbox', { name: 'Find in all logs' }).fill('kv cache');
    for (const column of columns) {
      await column.getByText(/^1 of \d/).waitFor();
      await expect.poll(() => column.locator('mark').count()).toBeGreaterThan(0);
    }
    await panel.getByRole('switch', { name: 'Matching lines only' }).click();
    for (const column of columns) {
      await expect.poll(() => column.getByText('Application startup complete.').count()).toBe(0);
      const marks = await column.locator('mark').count();
      expect(await column.locator('[data-index]').count()).toBe(marks);
    }
    const [left, right] = await Promise.all(columns.map((column) => column.boundingBox()));
    expect(left?.y === right?.y, 'beside each other where there is room').toBe(width > 1000);
    await expectAccessible(page);
    await panel.scrollIntoViewIfNeeded();
    await shot(page, `compare-logs-${theme}-${width}`, true);
    expect(await isTooWide(page)).toBe(false);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('say so where there are none', async () => {
    const page = await stage.page(`/compare?task=${task.id}&sel=1,2&logs=1`);
    const column = page.getByRole('region', { name: 'Log of experiment 1' });
    await column.getByText('There is no log', { exact: true }).waitFor();
    await page.context().close();
  });
});

describe('tasks side by side', () => {
  test('with the same question', async () => {
    const page = await stage.page(`/compare?tasks=${task.id},${twin.id}`, { theme: 'dark' });
    await page.getByText('Nothing speaks against it').waitFor();
    await page.getByRole('img', { name: /^Best so far/ }).waitFor();
    await page.getByRole('img', { name: /^How many reach how much/ }).waitFor();
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
    await expectAccessible(page);
    await shot(page, 'compare-tasks-dark-1440', true);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('say plainly that another load gives other figures', async () => {
    const page = await stage.page(`/compare?tasks=${task.id},${other.id}`, { width: 390 });
    await page.getByText('Different load: c8, c48; c8, c16.').waitFor();
    await expectAccessible(page);
    await shot(page, 'compare-tasks-light-390', true);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide).toBe(false);
    await page.context().close();
  });
});
