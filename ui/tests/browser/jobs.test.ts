import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobItem } from '@/api/types';
import { expectAccessible, open, type Stage, shot, taskEnd, until } from './harness';
import { everyLook } from './looks';
import { createTask, simulatedTask } from './tasks';

let stage: Stage;
beforeAll(async () => {
  stage = await open();
});
afterAll(() => stage?.close());

const queue = (body: object) => stage.service.request<JobItem>('POST', '/api/jobs', body);
const job = (id: string) => stage.service.request<JobItem>('GET', `/api/jobs/${id}`);

/** A job that its worker gives up at once: nobody knows what it shall install. */
async function dead(): Promise<string> {
  const { id } = await queue({ kind: 'install_engine', payload: { target: 'nonsense' } });
  await until('the job is given up', async () => (await job(id)).status === 'dead');
  return id;
}

describe('the page of jobs', () => {
  test('says what to do where there are none', async () => {
    const page = await stage.page('/jobs');
    await page.getByText('No jobs').waitFor();
    await expectAccessible(page);
    await shot(page, 'jobs-empty-light-1440');
    await page.context().close();
  });

  // R1.3
  test('lists them with age, attempts, worker and why they wait or were given up', async () => {
    const { id } = await createTask(stage.service, simulatedTask({ name: 'of-a-job', experiments: 6 }));
    await stage.service.request('POST', `/api/tasks/${id}/start`);
    await taskEnd(stage.service, id);
    await dead();
    const later = new Date(Date.now() + 3_600_000).toISOString();
    await queue({ kind: 'install_engine', payload: { target: 'sample-model' }, run_after_at: later });
    await queue({ kind: 'render_report', task: 'of-a-job', host: 'elsewhere' });

    const page = await stage.page('/jobs');
    const rows = page.getByRole('row');
    await rows.filter({ hasText: 'no live worker has the host elsewhere' }).waitFor();
    await rows.filter({ hasText: 'not before' }).waitFor();
    await rows.filter({ hasText: 'given up' }).filter({ hasText: 'unknown variant' }).waitFor();
    await rows
      .filter({ hasText: 'succeeded' })
      .filter({ hasText: 'of-a-job' })
      .filter({ hasText: /1 of \d/ })
      .waitFor();
    await page.context().close();
    await everyLook(stage, '/jobs', 'jobs', (one) => one.getByText('given up').first().waitFor());
  });

  test('filters by status, kind and words, and the address keeps it', async () => {
    const page = await stage.page('/jobs');
    await page.getByRole('button', { name: 'Show them' }).click();
    await expect.poll(() => new URL(page.url()).search).toBe('?status=dead');
    const rows = page.getByRole('row');
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByRole('button', { name: 'given up', exact: true }).click();
    await page.getByLabel('Kind').selectOption('run_task');
    await expect.poll(() => rows.count()).toBe(2);
    await page.reload();
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByLabel('Search jobs').fill('nothing is called so');
    await page.getByText('No job matches').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => rows.count()).toBeGreaterThan(3);
    await page.context().close();
  });

  test('shows one with its result and its error, by keyboard too, and retries it', async () => {
    const page = await stage.page('/jobs?status=dead');
    const row = page.getByRole('row').filter({ hasText: 'given up' });
    await row.focus();
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('dialog');
    await drawer.getByText('Given up after 1 attempt').waitFor();
    await drawer.getByRole('region', { name: 'Why the last attempt failed' }).getByText('nonsense').waitFor();
    await expectAccessible(page);
    await shot(page, 'jobs-dead-light-1440');
    const id = new URL(page.url()).searchParams.get('open') ?? '';
    const before = (await job(id)).ended_at;
    await drawer.getByRole('button', { name: 'Retry' }).click();
    await until('it was tried again', async () => {
      const now = await job(id);
      return now.status === 'dead' && now.ended_at !== before;
    });
    await drawer.getByText('Given up after').waitFor();
    await page.context().close();
  });

  test('cancels one that waits, after a question', async () => {
    const page = await stage.page('/jobs?status=queued');
    const row = page.getByRole('row').filter({ hasText: 'not before' });
    await row.getByRole('button', { name: 'Cancel job' }).click();
    const question = page.getByRole('dialog');
    await question.getByText('is cancelled at once').waitFor();
    await expectAccessible(page);
    await question.getByRole('button', { name: 'Cancel job' }).click();
    await row.waitFor({ state: 'detached' });
    const all = await stage.service.request<{ items: JobItem[] }>('GET', '/api/jobs?status=cancelled');
    expect(all.items.map((one) => one.kind)).toEqual(['install_engine']);
    await page.context().close();
  });
});
