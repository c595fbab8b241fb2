import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskItem } from '../../src/api/types';
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
import { LOOKS } from './looks';

let stage: Stage;
beforeAll(async () => {
  stage = await open();
});
afterAll(() => stage?.close());

const LONG = 'a-name-so-long-that-no-column-holds-it-and-so-it-is-cut-but-told';

/** A simulated engine as a real process: it takes seconds, so that one sees it run. */
const running = (name: string) =>
  simulatedTask({ name, experiments: 4, more: 'verification: {blocks: 2}' })
    .replace('hardware: {gpu: a100-40g}', 'hardware: {gpu: a100-40g, speed: 15}')
    .replace('kind: virtual', 'kind: local')
    .replace('requests: 100', 'requests: 40');

describe('the list of tasks', () => {
  test('with nothing in it leads to a new task, a file and an example', async () => {
    const page = await stage.page('/tasks');
    await page.getByText('There are no tasks yet').waitFor();
    await expectAccessible(page);
    await shot(page, 'tasks-empty-light-1440');
    expect(await page.getByRole('link', { name: 'New task' }).count()).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Try the example' }).click();
    await page.waitForURL('**/tasks/new');
    await page.context().close();
  });

  test('hands a dropped file to the editor', async () => {
    const page = await stage.page('/tasks');
    await page.getByText('There are no tasks yet').waitFor();
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['name: dropped\n'], 'dropped.yaml', { type: 'application/yaml' }));
      window.dispatchEvent(new DragEvent('dragenter', { dataTransfer: transfer, bubbles: true }));
      (window as unknown as { held: DataTransfer }).held = transfer;
    });
    await page.getByText('Drop the task file to open it in the editor').waitFor();
    await page.evaluate(() => {
      const { held } = window as unknown as { held: DataTransfer };
      window.dispatchEvent(new DragEvent('drop', { dataTransfer: held, bubbles: true, cancelable: true }));
    });
    await page.waitForURL('**/tasks/new');
    await page.context().close();
  });

  test('is started, watched live, and left for experiment 2', async () => {
    const { id } = await createTask(stage.service, running('live'));
    const page = await stage.page('/tasks');
    await page.getByRole('button', { name: 'Start: live' }).click();
    const row = page.getByRole('row').filter({ hasText: 'live' });
    await row.getByText('running').waitFor();
    const blocks = row.getByRole('listbox', { name: 'Experiments of live' });
    // Blocks come without the page being loaded again.
    await expect.poll(() => blocks.getByRole('option').count(), { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
    await shot(page, 'tasks-running-light-1440');
    await expectAccessible(page);
    await blocks.focus();
    await page.keyboard.press('ArrowRight');
    await row.getByText(/^Experiment 2: /).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/tasks/${id}/experiments/2`);
    await page.getByRole('heading', { level: 1, name: 'Experiment 2' }).waitFor();
    await taskEnd(stage.service, id);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test.each(LOOKS)('is readable and accessible, %s at %d px', async (theme, width) => {
    if (width === 1440 && theme === 'light') {
      await runTask(stage.service, { name: 'done' });
      await createTask(stage.service, simulatedTask({ name: LONG }));
    }
    const page = await stage.page('/tasks', { theme, width });
    await page
      .getByRole('row')
      .filter({ hasText: 'done' })
      .getByText(/^\d+ experiments$/)
      .waitFor();
    await page.waitForTimeout(400);
    await expectAccessible(page);
    await shot(page, `tasks-${theme}-${width}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide).toBe(false);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('is filtered, and the address holds the filters', async () => {
    const page = await stage.page('/tasks');
    const rows = page.getByRole('grid').getByRole('row');
    await page.getByRole('link', { name: 'done' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('don');
    await expect.poll(() => new URL(page.url()).search).toContain('q=don');
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('button', { name: 'Status' }).first().click();
    await page.getByRole('menuitemcheckbox', { name: 'pending' }).click();
    await page.keyboard.press('Escape');
    await expect.poll(() => new URL(page.url()).search).toContain('status=pending');
    await page.getByRole('link', { name: LONG }).waitFor();
    expect(await page.getByRole('link', { name: 'done' }).count()).toBe(0);
    await page.reload();
    await page.getByRole('link', { name: LONG }).waitFor();
    expect(await page.getByRole('link', { name: 'done' }).count()).toBe(0);
    await page.context().close();
  });

  test('clones, archives and takes back what was deleted', async () => {
    const page = await stage.page('/tasks?q=done');
    await page.getByRole('button', { name: 'Actions for done' }).click();
    await page.getByRole('menuitem', { name: 'Clone…' }).click();
    await page.getByLabel('Name of the copy').fill('done-again');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Clone', exact: true }).click();
    await page.waitForURL(/\/tasks\/[0-9a-f-]{36}$/);
    const list = await stage.service.request<{ items: TaskItem[] }>('GET', '/api/tasks?name=done-again');
    expect(list.items.map(({ name }) => name)).toEqual(['done-again']);

    await page.goto(`${stage.url}/tasks?q=done-again`);
    await page.getByRole('button', { name: 'Actions for done-again' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect.poll(() => page.getByRole('link', { name: 'done-again' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'done-again' }).waitFor();

    await page.getByRole('button', { name: 'Actions for done-again' }).click();
    await page.getByRole('menuitem', { name: 'Archive' }).click();
    await expect.poll(() => page.getByRole('link', { name: 'done-again' }).count()).toBe(0);
    await page.goto(`${stage.url}/tasks?q=done-again&archived=only`);
    await page.getByRole('button', { name: 'Actions for done-again' }).click();
    await page.getByRole('menuitem', { name: 'Unarchive' }).click();
    await expect.poll(() => page.getByRole('link', { name: 'done-again' }).count()).toBe(0);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('does many at once, and deletes for good when nobody takes it back', async () => {
    for (const n of [1, 2, 3]) await createTask(stage.service, simulatedTask({ name: `bulk-${n}`, experiments: 3 }));
    const page = await stage.page('/tasks?q=bulk');
    await page.getByRole('checkbox', { name: 'Select bulk-1' }).click();
    await page.getByRole('checkbox', { name: 'Select bulk-2' }).click();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Start 2' }).click();
    await page.getByRole('row').filter({ hasText: 'bulk-1' }).getByText('completed').waitFor({ timeout: 60_000 });
    await page.getByRole('row').filter({ hasText: 'bulk-2' }).getByText('completed').waitFor({ timeout: 60_000 });
    await page.getByRole('checkbox', { name: 'Select bulk-3' }).click();
    await page.getByRole('button', { name: 'Delete 3' }).click();
    await page.getByRole('button', { name: 'Delete them' }).click();
    await page.getByText('No task matches').waitFor();
    await expect
      .poll(
        async () => (await stage.service.request<{ items: TaskItem[] }>('GET', '/api/tasks?name=bulk')).items.length,
        {
          timeout: 20_000,
        },
      )
      .toBe(0);
    await page.context().close();
  });

  test('with 10,000 rows stays quick, and reads them as somebody scrolls', async () => {
    const page = await stage.page('/');
    await page.route('**/api/tasks?*', async (route) => {
      const cursor = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
      const limit = Number(new URL(route.request().url()).searchParams.get('limit') ?? 50);
      const items = Array.from({ length: Math.min(limit, 10_000 - cursor) }, (_, n) => many(cursor + n));
      const next = cursor + limit < 10_000 ? String(cursor + limit) : null;
      await route.fulfill({ json: { items, next_cursor: next } });
    });
    await page.goto(`${stage.url}/tasks`);
    await page.getByRole('link', { name: 'task-0', exact: true }).waitFor();
    const drawn = await page.getByRole('row').count();
    expect(drawn).toBeLessThan(60);
    // An order needs all of them.
    const began = Date.now();
    await page.getByRole('button', { name: 'Name', exact: true }).click();
    await expect.poll(() => page.getByText(/^10.000 rows$/).count(), { timeout: 30_000 }).toBe(1);
    const readMs = Date.now() - began;
    await page.getByRole('row').nth(1).focus();
    const walked = Date.now();
    await page.keyboard.press('End');
    await page.getByRole('link', { name: 'task-9999', exact: true }).waitFor();
    const walkMs = Date.now() - walked;
    process.stdout.write(`10,000 rows read and ordered in ${readMs} ms, walked to the last in ${walkMs} ms
`);
    expect(await page.getByRole('row').count()).toBeLessThan(60);
    await page.context().close();
  });
});

function many(n: number): TaskItem {
  return {
    id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    name: `task-${n}`,
    engine: 'simulated',
    status: 'pending',
    verdict: null,
    failure: null,
    created_at: '2026-01-01T00:00:00Z',
    started_at: null,
    ended_at: null,
    cancel_requested: false,
    gpu_seconds: 0,
    experiments: {},
  };
}
