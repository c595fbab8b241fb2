import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTask, expectAccessible, open, type Stage, simulatedTask } from './harness';
import { everyLook } from './looks';

let stage: Stage;
beforeAll(async () => {
  stage = await open();
});
afterAll(() => stage?.close());

describe('the page of the audit log', () => {
  test('says what will be there', async () => {
    const page = await stage.page('/audit');
    await page.getByText('Nothing was changed yet').waitFor();
    await expectAccessible(page);
    await page.context().close();
  });

  test('lists who did what, filters, and reads older entries', async () => {
    const { id } = await createTask(stage.service, simulatedTask({ name: 'audited' }));
    for (let n = 0; n < 105; n++) {
      await stage.service.request('POST', `/api/tasks/${id}/archive`);
      await stage.service.request('POST', `/api/tasks/${id}/unarchive`);
    }
    await stage.service.request('DELETE', '/api/tasks/nobody').catch(() => {});
    const page = await stage.page('/audit');
    const grid = page.getByRole('grid', { name: 'Audit log' });
    await page.getByText('The newest 200 entries are read').waitFor();
    expect(await grid.getAttribute('aria-rowcount')).toBe('201');
    await page.getByRole('button', { name: 'Read older entries' }).click();
    await page.getByText('All 212 entries').waitFor();
    expect(await grid.getAttribute('aria-rowcount')).toBe('213');

    await page.getByRole('button', { name: 'other errors' }).click();
    await grid.getByRole('row').filter({ hasText: 'task.delete' }).getByText('not_found').waitFor();
    expect(await grid.getAttribute('aria-rowcount')).toBe('2');
    await page.getByRole('button', { name: 'other errors' }).click();
    await page.getByRole('combobox', { name: 'What' }).selectOption('task.create');
    await expect.poll(() => grid.getAttribute('aria-rowcount')).toBe('2');
    await page.getByLabel('Who, what, target, address').fill('no such thing');
    await page.getByText('No entry matches').waitFor();
    expect(new URL(page.url()).search).toContain('action=task.create');
    await page.context().close();
    await everyLook(stage, '/audit', 'audit', (one) =>
      one.getByRole('row').filter({ hasText: 'task.archive' }).first().waitFor(),
    );
  });

  test('is read again when asked', async () => {
    const page = await stage.page('/audit?action=task.clone');
    await page.getByText('No entry matches').waitFor();
    await stage.service.request('POST', '/api/tasks/audited/clone');
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByRole('row').filter({ hasText: 'task.clone' }).waitFor();
    await page.context().close();
  });
});
