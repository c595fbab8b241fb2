import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskDetail } from '@/api/types';
import { createTask, expectAccessible, open, type Stage, shot, taskEnd, until } from './harness';
import { everyLook } from './looks';

let stage: Stage;
beforeAll(async () => {
  stage = await open();
});
afterAll(() => stage?.close());

const TASK = `name: served-by-a-process-with-a-long-name-that-no-column-has-room-for
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: a100-40g}}
backend: {kind: local}
search_space: {parameters: {max-num-seqs: [16, 32, 64, 128, 256]}}
workload: {scenario: "N(480,240)/(300,150)"}
load: {levels: [{concurrency: 8}], requests: 600}
budget: {experiments: 5}
`;

describe('the page of deployments', () => {
  test('says what would stand there', async () => {
    const page = await stage.page('/deployments');
    await page.getByText('No engine runs').waitFor();
    await expectAccessible(page);
    await shot(page, 'deployments-empty-light-1440');
    await page.context().close();
  });

  test('shows an engine as it comes, leads to its log, and stops it with its task', async () => {
    const page = await stage.page('/deployments');
    await page.getByText('No engine runs').waitFor();
    const { id } = await createTask(stage.service, TASK);
    await stage.service.request('POST', `/api/tasks/${id}/start`);
    const row = page.getByRole('row').filter({ hasText: 'served-by-a-process' });
    await row.waitFor();
    const [one] = await until('the engine answers', async () => {
      const { items } = await stage.service.request<{ items: { address: string | null; pid: number }[] }>(
        'GET',
        '/api/deployments',
      );
      return items[0]?.address ? items : null;
    });
    await row.getByText(one?.address ?? '').waitFor();
    await row.getByText(String(one?.pid)).waitFor();
    await everyLook(stage, '/deployments', 'deployments', (look) => look.getByText('served-by').first().waitFor());

    await row.getByRole('link', { name: 'Log of experiment 1' }).click();
    await page.waitForURL(/\/experiments\/1\?tab=log/);
    await page.goBack();

    await row.getByRole('button', { name: 'Stop' }).click();
    const question = page.getByRole('dialog');
    await question.getByText('The service stops engines only with their task').waitFor();
    await expectAccessible(page);
    await shot(page, 'deployments-stop-light-1440');
    await question.getByRole('button', { name: 'Cancel the task' }).click();
    await page.getByText('No engine runs').waitFor();
    const task: TaskDetail = await taskEnd(stage.service, id);
    expect(task.status).toBe('cancelled');
    await page.context().close();
  });
});
