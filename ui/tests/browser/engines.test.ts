import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobItem } from '@/api/types';
import { expectAccessible, open, type Stage, shot } from './harness';
import { everyLook } from './looks';

let stage: Stage;
beforeAll(async () => {
  // Without a worker an installation stays queued, and nothing is downloaded.
  stage = await open(['--workers', '0']);
});
afterAll(() => stage?.close());

describe('the page of engines', () => {
  test('says of each what is there and how to provide it', async () => {
    const page = await stage.page('/engines');
    const card = (name: string) => page.getByRole('region', { name, exact: true });
    await card('Simulated engine').getByText('built in', { exact: true }).waitFor();
    await card('llama.cpp').getByText('not installed').waitFor();
    await card('vLLM').getByText('Install vllm with pip').waitFor();
    await card('TensorRT-LLM').getByText('as NVIDIA documents').waitFor();
    await card('SGLang').getByRole('button', { name: 'Show the parameters of SGLang' }).waitFor();
    await page.context().close();
    await everyLook(stage, '/engines', 'engines', (one) => one.getByText('532 rows').waitFor());
  });

  test('searches the parameters of one, and shows one whole', async () => {
    const page = await stage.page('/engines');
    await page.getByRole('button', { name: 'Show the parameters of llama.cpp' }).click();
    await expect.poll(() => new URL(page.url()).search).toBe('?engine=llama.cpp');
    const grid = page.getByRole('grid', { name: 'Parameters of llama.cpp' });
    await page.getByText('255 rows').waitFor();
    await page.getByLabel('Search name and help').fill('--batch_size');
    await expect.poll(async () => Number(await grid.getAttribute('aria-rowcount'))).toBeLessThan(6);
    await page.getByRole('switch', { name: 'Only those worth tuning' }).click();
    await grid.getByRole('row').filter({ hasText: 'ubatch-size' }).focus();
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('dialog', { name: '--ubatch-size' });
    await drawer.getByText('64, 128, 256, 512, 1024').waitFor();
    await drawer.getByText('whole number').waitFor();
    await drawer.getByText('a restart').waitFor();
    await expectAccessible(page);
    await shot(page, 'engines-parameter-light-1440');
    await page.reload();
    await drawer.waitFor();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('queues an installation after a question, says how it goes, and lets one cancel it', async () => {
    const page = await stage.page('/engines');
    await page.getByRole('button', { name: 'Install llama.cpp' }).click();
    const question = page.getByRole('dialog');
    await question.getByText('A worker makes a private Python environment').waitFor();
    await expectAccessible(page);
    await question.getByRole('button', { name: 'Install' }).click();
    const installations = page.getByRole('region', { name: 'Installations' });
    await installations.getByText('llama.cpp').waitFor();
    await installations.getByText('no worker is alive').waitFor();
    expect(await page.getByRole('button', { name: 'Install llama.cpp' }).isDisabled()).toBe(true);
    await shot(page, 'engines-install-light-1440', true);
    await installations.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel job' }).click();
    await installations.getByText('cancelled').waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Install llama.cpp' }).isDisabled()).toBe(false);
    const { items } = await stage.service.request<{ items: JobItem[] }>('GET', '/api/jobs');
    expect(items.map((job) => [job.kind, job.status])).toEqual([['install_engine', 'cancelled']]);
    await page.context().close();
  });
});
