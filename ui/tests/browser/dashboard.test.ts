import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkerItem } from '@/api/types';
import { begin } from './chat';
import {
  createTask,
  expectAccessible,
  open,
  runTask,
  type Stage,
  shot,
  simulatedTask,
  troublesOf,
  until,
} from './harness';
import { everyLook, isTooWide } from './looks';
import { ScriptedModel } from './model';

const workers = async (stage: Stage) =>
  (await stage.service.request<{ items: WorkerItem[] }>('GET', '/api/workers')).items;

describe('the dashboard of a new service', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await open();
  });
  afterAll(() => stage?.close());

  test('says why there are no GPUs, and what to do first; the example runs', async () => {
    await everyLook(stage, '/', 'dashboard-new', (page) => page.getByText('First steps').waitFor());
    const page = await stage.page('/');
    await page.getByText('No GPUs: nvidia-smi is not installed').waitFor();
    await page.getByText('Nothing waits.').waitFor();
    await page.getByText(/checks are good/).waitFor();
    await page.getByRole('button', { name: 'Run an example' }).click();
    await page.waitForURL(/\/tasks\/[0-9a-f-]{36}/);
    await page.getByRole('heading', { level: 1, name: 'example' }).waitFor();
    await page.context().close();
  });
});

/** Stands in the place of the driver's reporter: the service reads it as it reads the real one. */
const NVIDIA_SMI = `#!/bin/sh
case "$*" in
  *utilization.gpu*)
    echo "0, GPU-aaaa, NVIDIA H100 80GB HBM3, 81559, 40000, 73, 550.54.15, 9.0"
    echo "1, GPU-bbbb, NVIDIA H100 80GB HBM3, 81559, 512, [N/A], 550.54.15, 9.0";;
  *) echo "0, 40000"; echo "1, 512";;
esac
`;

describe('the dashboard of a service at work', () => {
  let stage: Stage;
  let model: ScriptedModel;
  let folder: string;
  const before = process.env.PATH;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'autotuner-smi-'));
    await writeFile(join(folder, 'nvidia-smi'), NVIDIA_SMI);
    await chmod(join(folder, 'nvidia-smi'), 0o755);
    process.env.PATH = `${folder}:${before}`;
    model = await ScriptedModel.start();
    Object.assign(process.env, model.variables());
    stage = await open(['--workers', '2']);
    await runTask(stage.service, { name: 'a-task-that-ran', experiments: 8 });
    await stage.service.request('POST', '/api/jobs', {
      kind: 'render_report',
      task: 'a-task-that-ran',
      host: 'elsewhere',
    });
  });
  afterAll(async () => {
    process.env.PATH = before;
    await stage?.close();
    await model?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('shows each GPU, the queue with its reason, and what the last task found', async () => {
    const page = await stage.page('/');
    const gpu = page.getByRole('region', { name: 'GPU 0: NVIDIA H100 80GB HBM3' });
    await gpu.getByText('73 %').waitFor();
    await gpu.getByText('39.1 GiB of 79.6 GiB used').waitFor();
    expect(
      await page
        .getByRole('region', { name: /^GPU 1/ })
        .getByRole('meter')
        .count(),
    ).toBe(1);
    await page.getByText('no live worker has the host elsewhere').waitFor();
    await page.getByText('1 waiting, 0 running').waitFor();
    await page.getByRole('region', { name: 'Lately ended' }).getByRole('link', { name: 'a-task-that-ran' }).waitFor();
    const days = page.getByRole('region', { name: 'Outcomes of the last days' });
    await days.getByText('today').waitFor();
    await days.getByRole('button', { name: 'As a table' }).click();
    await days.getByRole('grid').getByRole('row').nth(1).waitFor();
    await page.context().close();
    await everyLook(stage, '/', 'dashboard', (one) => one.getByText('73 %').waitFor());
  });

  // R1.2
  test('follows a task as it runs, and a bar of the line of time opens its experiment', async () => {
    const page = await stage.page('/');
    await page.getByText('Nothing runs').waitFor();
    const slow = simulatedTask({ name: 'runs-now', experiments: 5 })
      .replace('kind: virtual', 'kind: local')
      .replace('requests: 100', 'requests: 300');
    const { id } = await createTask(stage.service, slow);
    await stage.service.request('POST', `/api/tasks/${id}/start`);
    const running = page.getByRole('region', { name: 'Running tasks' });
    await running.getByRole('link', { name: 'runs-now' }).waitFor();
    await running.getByRole('listbox').getByRole('option').first().waitFor();
    await page.getByRole('region', { name: 'Workers' }).getByText('experiment 1').waitFor();
    await shot(page, 'dashboard-running-light-1440', true);

    const day = page.getByRole('region', { name: 'Experiments of late' });
    await day.getByRole('button', { name: '1 h' }).click();
    const bar = day.getByTitle(/^Experiment 1: open/);
    await bar.waitFor();
    await day.getByRole('button', { name: 'As a table' }).click();
    await day.getByRole('row').filter({ hasText: 'runs-now' }).first().waitFor();
    await day.getByRole('button', { name: 'As a plot' }).click();
    await bar.click();
    await page.waitForURL(new RegExp(`/tasks/${id}/experiments/1`));
    await stage.service.request('POST', `/api/tasks/${id}/cancel`);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  // R1.4
  test('restarts a worker only after a yes', async () => {
    await until('workers are idle', async () => (await workers(stage)).every((one) => one.busy_slots === 0));
    const [first] = await workers(stage);
    const page = await stage.page('/');
    const button = page.getByRole('button', { name: `Restart pid ${first?.pid}` });
    await button.click();
    await page.getByRole('dialog').getByText('It runs nothing at the moment').waitFor();
    await expectAccessible(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect((await workers(stage)).find((one) => one.id === first?.id)?.asked).toBe('run');
    await button.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click();
    const old = () => workers(stage).then((all) => all.find((one) => one.pid === first?.pid && one.alive));
    await until('its process ended', async () => !(await old()));
    await until('another one is there', async () => (await workers(stage)).filter((one) => one.alive).length === 2);
    await button.waitFor({ state: 'detached' });
    await page.context().close();
  });

  // R1.5
  test('shows the calls that wait for a person', async () => {
    model.script('restart a worker', [{ calls: [{ name: 'restart_arq_worker', args: {} }] }, { text: 'It is done.' }]);
    const chat = await stage.page('/chat');
    await begin(chat, 'please restart a worker');
    const page = await stage.page('/', { context: chat.context() });
    const waiting = page.getByRole('region', { name: 'Waiting for you' });
    await waiting.getByText('1 call waits for you').waitFor();
    await expectAccessible(page);
    await shot(page, 'dashboard-waiting-light-1440');
    await waiting.getByRole('link', { name: 'Look and decide' }).click();
    await page.waitForURL(/\/chat\/[0-9a-f-]{36}/);
    await page.context().close();
  });

  test('fits at 380 and at 2560 px', async () => {
    for (const width of [380, 2560]) {
      const page = await stage.page('/', { width });
      await page.getByText('73 %').waitFor();
      expect(await isTooWide(page), `${width} px`).toBe(false);
      await shot(page, `dashboard-light-${width}`, true);
      await page.context().close();
    }
  });
});
