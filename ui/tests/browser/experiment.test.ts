import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExperimentItem, TaskDetail } from '../../src/api/types';
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
  until,
} from './harness';
import { LOOKS } from './looks';

let stage: Stage;
/** Simulated without a process: many experiments, some infeasible. */
let task: TaskDetail;
/** Simulated as a process: it has logs, read-back, series and requests. */
let real: TaskDetail;

const process = (name: string, speed: number, requests: number) =>
  simulatedTask({ name, experiments: 3, more: 'verification: {blocks: 2}' })
    .replace('hardware: {gpu: a100-40g}', `hardware: {gpu: a100-40g, speed: ${speed}}`)
    .replace('kind: virtual', 'kind: local')
    .replace('requests: 100}', `requests: ${requests}, save_log_mib: 20}`)
    .replace('[{concurrency: 8}, {concurrency: 48}]', '[{concurrency: 4}, {concurrency: 16}]');

beforeAll(async () => {
  stage = await open();
  task = await runTask(stage.service, { name: 'kinds', experiments: 20 });
  const { id } = await createTask(stage.service, process('process', 15, 60));
  await stage.service.request('POST', `/api/tasks/${id}/start`);
  real = await taskEnd(stage.service, id, 180_000);
});
afterAll(() => stage?.close());

async function first(outcome: string): Promise<number> {
  const path = `/api/tasks/${task.id}/experiments?outcome=${outcome}&fields=number&limit=1`;
  const found = await stage.service.request<{ items: Pick<ExperimentItem, 'number'>[] }>('GET', path);
  const [item] = found.items;
  if (!item) throw new Error(`no experiment is ${outcome}`);
  return item.number;
}

describe('an experiment', () => {
  test.each(LOOKS)('shows phases, levels and latencies, accessibly, %s at %d px', async (theme, width) => {
    const page = await stage.page(`/tasks/process/experiments/2`, { theme, width });
    await page.getByRole('heading', { level: 1, name: 'Experiment 2' }).waitFor();
    await page.getByRole('heading', { name: 'Measurements' }).waitFor();
    await page.getByRole('img', { name: /^Attempt 1: .*loading.*c4.*c16/ }).waitFor();
    await page.getByRole('img', { name: /^Latency percentiles.*SLO p99 ≤ 1500 ms/ }).waitFor();
    await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
    await expectAccessible(page);
    await shot(page, `experiment-${theme}-${width}`, true);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide).toBe(false);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('explains why it could not run: class, hint, last lines (R14.7)', async () => {
    const number = await first('infeasible');
    const page = await stage.page(`/tasks/${task.id}/experiments/${number}`);
    await page.getByText('Out of memory while loading').waitFor();
    await page.getByText('oom_load').first().waitFor();
    await page.getByText('Lower the memory fraction or context length').waitFor();
    await page.getByRole('region', { name: 'Last lines of the engine’s log' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'experiment-infeasible-light-1440', true);
    await page.context().close();
  });

  test('proves that its flags reached the engine, and gives the command (B9, B10)', async () => {
    const page = await stage.page('/tasks/process/experiments/2?tab=command');
    await page.getByText(/flags reached the engine/).waitFor();
    await page.getByRole('region', { name: 'Effective command' }).getByText('sim-engine').waitFor();
    await page.getByRole('region', { name: 'Compose file' }).last().getByText('services:').waitFor();
    await page.getByRole('region', { name: 'Kubernetes manifest' }).last().getByText('kind: Deployment').waitFor();
    await expectAccessible(page);
    await shot(page, 'experiment-command-light-1440', true);
    await page.context().close();
  });

  test('has the log with search', async () => {
    const page = await stage.page('/tasks/process/experiments/2?tab=log');
    await page.getByText('Application startup complete.').waitFor();
    await page.getByRole('searchbox', { name: 'Find in the log' }).fill('KV cache');
    await page.getByText(/^1 of \d/).waitFor();
    await expectAccessible(page);
    await shot(page, 'experiment-log-light-1440');
    await page.context().close();
  });

  test('has series, requests and the environment', async () => {
    const page = await stage.page('/tasks/process/experiments/1?tab=series');
    await page.getByText('read from vllm /metrics').waitFor();
    await page.getByRole('heading', { name: 'Batch and queue' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'experiment-series-light-1440');
    await page.getByRole('tab', { name: 'Requests' }).click();
    await page.getByRole('grid', { name: 'Requests' }).getByText('completed').first().waitFor();
    await expectAccessible(page);
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as JSONL' }).click();
    expect((await saved).suggestedFilename()).toBe('experiment-1-requests.jsonl');
    await page.getByRole('tab', { name: 'Environment' }).click();
    await page.getByText('Engine version').waitFor();
    await expectAccessible(page);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('says plainly what was not kept', async () => {
    const page = await stage.page(`/tasks/${task.id}/experiments/1?tab=requests`);
    await page.getByText('What happened to each request was not kept').waitFor();
    await page.getByRole('tab', { name: 'Log' }).click();
    await page.getByText('There is no log').waitFor();
    await page.getByRole('tab', { name: 'Engine and GPUs' }).click();
    await page.getByText('showed nothing of themselves').waitFor();
    await expectAccessible(page);
    await page.context().close();
  });

  test('is left for its neighbours with J and K', async () => {
    const page = await stage.page(`/tasks/${task.id}/experiments/2`);
    await page.getByRole('button', { name: 'Experiment 3 (J)' }).waitFor();
    await page.keyboard.press('j');
    await page.getByRole('heading', { level: 1, name: 'Experiment 3' }).waitFor();
    await page.keyboard.press('k');
    await page.getByRole('heading', { level: 1, name: 'Experiment 2' }).waitFor();
    await page.keyboard.press('k');
    await page.getByRole('heading', { level: 1, name: 'Experiment 1' }).waitFor();
    await page.getByText('This is the baseline').waitFor();
    expect(new URL(page.url()).pathname.endsWith('/experiments/1')).toBe(true);
    await page.context().close();
  });

  test('becomes the baseline of a new task', async () => {
    const page = await stage.page(`/tasks/${task.id}/experiments/2`);
    await page.getByRole('button', { name: 'Actions' }).click();
    await expectAccessible(page);
    await page.getByRole('menuitem', { name: 'New task with this as baseline' }).click();
    await page.waitForURL('**/tasks/new');
    await page.context().close();
  });

  test('is watched while it runs, and a neighbour of it is tried next', async () => {
    const { id } = await createTask(stage.service, process('watched', 4, 120));
    await stage.service.request('POST', `/api/tasks/${id}/start`);
    await until('experiment 1', async () => {
      const { running } = await stage.service.request<TaskDetail>('GET', `/api/tasks/${id}`);
      return running.some(({ number }) => number === 1);
    });
    // The log is there as soon as there is one, and grows while one looks.
    const page = await stage.page(`/tasks/${id}/experiments/1?tab=log`);
    await page.getByRole('status').filter({ hasText: 'following' }).waitFor();
    expect(await page.getByText('Application startup complete.').count()).toBe(0);
    await page.getByText('Application startup complete.').waitFor({ timeout: 30_000 });
    await page.getByRole('tab', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Now' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'level c4' }).waitFor({ timeout: 60_000 });
    await page.getByRole('status').filter({ hasText: 'level c16' }).waitFor({ timeout: 60_000 });
    await page
      .getByText(/^TTFT p99/)
      .first()
      .waitFor();
    await shot(page, 'experiment-live-light-1440', true);
    await expectAccessible(page);

    await page.getByRole('button', { name: 'Actions' }).click();
    await page.getByRole('menuitem', { name: 'Try a neighbour next…' }).click();
    await page.getByLabel('max-num-seqs').selectOption('128');
    await expectAccessible(page);
    await shot(page, 'experiment-neighbour-light-1440');
    await page.getByRole('button', { name: 'Try it next' }).click();
    await page.getByText('It is tried next.', { exact: true }).first().waitFor();
    // The page follows it to its end by itself.
    await page.getByRole('heading', { name: 'Objective' }).waitFor({ timeout: 60_000 });
    await until('the proposal', async () => {
      const list = await stage.service.request<{ items: ExperimentItem[] }>('GET', `/api/tasks/${id}/experiments`);
      return list.items.some(({ configuration }) => configuration['max-num-seqs'] === 128);
    });
    await stage.service.request('POST', `/api/tasks/${id}/cancel`);
    await taskEnd(stage.service, id);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('that is not there is said so', async () => {
    const page = await stage.page(`/tasks/${real.id}/experiments/999`);
    await page.getByRole('alert').waitFor();
    await expectAccessible(page);
    await page.context().close();
  });
});
