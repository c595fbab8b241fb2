import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskDetail, WorkerItem } from '@/api/types';
import { createTask, expectAccessible, open, type Stage, shot, until } from './harness';
import { everyLook } from './looks';
import { binary } from './service';

let stage: Stage;
let other: ChildProcess;
const started: ChildProcess[] = [];
beforeAll(async () => {
  stage = await open();
  other = await another();
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await stage?.close();
});

const workers = async (of = stage) => (await of.service.request<{ items: WorkerItem[] }>('GET', '/api/workers')).items;

/** A worker that the server did not start. */
async function another(of = stage): Promise<ChildProcess> {
  const env = { ...process.env, AUTOTUNER_DATA_DIR: of.service.dataDir };
  const child = spawn(binary(), ['worker', '--slots', '3', '--label', 'zone=a'], { env, stdio: 'ignore' });
  started.push(child);
  await until('it is known', async () => (await workers(of)).some((one) => one.alive && one.pid === child.pid));
  return child;
}

/** A task whose engine is a process of its own and takes seconds for each experiment. */
const SLOW = `name: takes-long
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: a100-40g}}
backend: {kind: local}
search_space: {parameters: {max-num-seqs: [16, 32, 64, 128, 256]}}
workload: {scenario: "N(480,240)/(300,150)"}
load: {levels: [{concurrency: 8}], requests: 400}
budget: {experiments: 5}
`;

describe('the page of workers', () => {
  // R1.2
  test('lists them live with what they have and do', async () => {
    const page = await stage.page('/workers');
    const row = page.getByRole('row').filter({ hasText: '0 of 3 busy' });
    await row.waitFor();
    await row.getByText('zone=a').waitFor();
    expect(await row.getByText(`pid ${other.pid} on`).count()).toBe(1);
    await row.click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText('simulated (built in)').waitFor();
    await drawer.getByText('local, attached, virtual').waitFor();
    await expectAccessible(page);
    await shot(page, 'workers-one-light-1440');
    await page.context().close();
    await everyLook(stage, '/workers', 'workers', (one) => one.getByText('alive').first().waitFor());
  });

  test('stops one only after a yes', async () => {
    const page = await stage.page('/workers');
    const row = page.getByRole('row').filter({ hasText: `pid ${other.pid} on` });
    const stop = async (answer: string) => {
      await row.getByRole('button', { name: 'Actions of' }).click();
      await page.getByRole('menuitem', { name: 'Stop' }).click();
      await page.getByRole('dialog').getByText('Nothing starts it anew').waitFor();
      await page.getByRole('dialog').getByRole('button', { name: answer }).click();
    };
    await stop('Cancel');
    expect((await workers()).every((one) => one.asked === 'run')).toBe(true);
    await stop('Stop');
    await row.waitFor({ state: 'detached' });
    await until('its process ended', () => other.exitCode !== null);
    await page.context().close();
  });

  // R1.4, R7.1
  test('restarts one after saying what that interrupts, and the task goes on', async () => {
    const { id } = await createTask(stage.service, SLOW);
    await stage.service.request('POST', `/api/tasks/${id}/start`);
    const busy = await until('a worker runs it', async () => (await workers()).find((one) => one.busy_slots > 0));
    const page = await stage.page('/workers');
    const row = page.getByRole('row').filter({ hasText: 'takes-long' });
    await row.getByText('experiment 1').waitFor();
    await row.getByRole('button', { name: 'Actions of' }).click();
    await page.getByRole('menuitem', { name: 'Restart' }).click();
    const question = page.getByRole('dialog');
    await question.getByText('experiment 1 of takes-long').waitFor();
    await question.getByText('Nothing is lost').waitFor();
    await expectAccessible(page);
    await shot(page, 'workers-restart-light-1440');
    expect((await workers()).find((one) => one.id === busy.id)?.asked, 'nothing happens before the answer').toBe('run');
    await question.getByRole('button', { name: 'Restart' }).click();
    await until('its process ended', async () => {
      const now = (await workers()).find((one) => one.id === busy.id);
      return !now?.alive || now.asked !== 'run';
    });
    const again = await until('somebody goes on', async () =>
      (await workers()).find((one) => one.busy_slots > 0 && one.id !== busy.id && one.alive),
    );
    await page.getByText(`pid ${again.pid} on`).first().waitFor();
    const task = await stage.service.request<TaskDetail>('GET', `/api/tasks/${id}`);
    expect(task.status).toBe('running');
    await stage.service.request('POST', `/api/tasks/${id}/cancel`);
    await page.context().close();
  });

  test('shows one that died as silent, and forgets it with an undo', async () => {
    // Another worker of its machine would see at once that it is gone.
    const alone = await open(['--workers', '0']);
    other = await another(alone);
    const page = await alone.page('/workers');
    const row = page.getByRole('row').filter({ hasText: `pid ${other.pid} on` });
    await row.waitFor();
    other.kill('SIGKILL');
    await row.filter({ hasText: 'silent' }).waitFor({ timeout: 60_000 });
    await shot(page, 'workers-silent-light-1440');
    const remove = async () => {
      await row.getByRole('button', { name: 'Actions of' }).click();
      await page.getByRole('menuitem', { name: 'Remove' }).click();
      await row.waitFor({ state: 'detached' });
    };
    await remove();
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.waitFor();
    await remove();
    await until('it is forgotten', async () => (await workers(alone)).length === 0);
    await page.getByText('No workers').waitFor();
    await alone.close();
  });
});
