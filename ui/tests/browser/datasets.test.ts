import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatasetItem } from '@/api/datasets';
import { createTask, expectAccessible, open, type Stage, shot, simulatedTask, until } from './harness';
import { everyLook } from './looks';

let stage: Stage;
let folder: string;
const path = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autotuner-data-'));
  const prompts = Array.from({ length: 300 }, (_, n) =>
    JSON.stringify({ prompt: `question ${n} ${'word '.repeat(n % 40)}`, output_tokens: 1 + ((n * 7919) % 400) }),
  );
  await writeFile(path('chat.jsonl'), `${prompts.join('\n')}\n`);
  const trace = Array.from(
    { length: 200 },
    (_, n) => `2026-11-01 00:0${Math.floor(n / 40)}:${String(n % 40).padStart(2, '0')}.000000,${8 + n * n},${1 + n}`,
  );
  await writeFile(path('azure.csv'), `TIMESTAMP,ContextTokens,GeneratedTokens\n${trace.join('\n')}\n`);
  await writeFile(path('nothing.txt'), 'this is no data set\n');
  stage = await open();
});
afterAll(async () => {
  await stage?.close();
  await rm(folder, { recursive: true, force: true });
});

const kept = async () => (await stage.service.request<{ items: DatasetItem[] }>('GET', '/api/datasets')).items;
const names = async () => (await kept()).map((one) => one.name);

describe('the page of data sets', () => {
  test('says what to do where there are none', async () => {
    const page = await stage.page('/datasets');
    await page.getByText('No data sets').waitFor();
    await expectAccessible(page);
    await shot(page, 'datasets-empty-light-1440');
    await page.context().close();
  });

  test('takes files by choice, says what cannot be read, and sends it under another name', async () => {
    const page = await stage.page('/datasets');
    const files = page.locator('input[type=file]');
    await files.setInputFiles([path('chat.jsonl'), path('nothing.txt')]);
    await page.getByRole('row').filter({ hasText: 'chat.jsonl' }).filter({ hasText: '300' }).waitFor();
    await page.getByText('kept, 300 requests').waitFor();
    await page.getByRole('alert').filter({ hasText: 'cannot be read' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'datasets-sent-light-1440');
    await page.getByRole('button', { name: 'Dismiss' }).first().click();

    // The name is taken: another one is asked for, and the file is kept under it.
    await files.setInputFiles(path('chat.jsonl'));
    const field = page.getByLabel('Under the name').last();
    await field.waitFor();
    await field.fill('not good');
    await page.getByText('Letters, digits, - _ and . only').waitFor();
    await field.fill('second');
    await page.getByRole('button', { name: 'Send again' }).last().click();
    await page.getByRole('row').filter({ hasText: 'second' }).waitFor();
    expect(await names()).toEqual(['chat.jsonl', 'second']);
    await page.context().close();
  });

  test('takes files that are dropped', async () => {
    const page = await stage.page('/datasets');
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['{"prompt":"dropped","output_tokens":3}\n'], 'dropped.jsonl'));
      return transfer;
    });
    const zone = page.getByText('Or drop them here');
    await zone.dispatchEvent('dragover', { dataTransfer: data });
    await zone.dispatchEvent('drop', { dataTransfer: data });
    await page.getByRole('row').filter({ hasText: 'dropped.jsonl' }).waitFor();
    await page.context().close();
  });

  test('looks into one: lengths as histograms, arrivals, first rows', async () => {
    const page = await stage.page('/datasets');
    await page.locator('input[type=file]').setInputFiles(path('azure.csv'));
    await page.getByRole('row').filter({ hasText: 'azure.csv' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText('requests per second on average').waitFor();
    await drawer.getByRole('img', { name: /^Prompt lengths\. .*half are at most/ }).waitFor();
    await drawer.locator('canvas').first().waitFor();
    await drawer.getByRole('button', { name: 'As a table' }).first().click();
    await drawer.getByRole('grid', { name: 'Prompt lengths' }).waitFor();
    await drawer
      .getByRole('region', { name: 'The first rows' })
      .getByRole('columnheader', { name: 'input_tokens' })
      .waitFor();
    await expectAccessible(page);
    await shot(page, 'datasets-one-light-1440');
    await page.context().close();
    await everyLook(stage, '/datasets?open=azure.csv', 'datasets-one', (one) =>
      one.getByRole('dialog').locator('canvas').first().waitFor(),
    );
    await everyLook(stage, '/datasets', 'datasets', (one) => one.getByText('azure.csv').waitFor());
  });

  test('begins a task with one', async () => {
    const page = await stage.page('/datasets?open=second');
    await page.getByRole('dialog').getByRole('button', { name: 'New task with it' }).click();
    await page.waitForURL(/\/tasks\/new/);
    await page.context().close();
  });

  test('deletes with an undo, and not while a task may read it', async () => {
    await createTask(
      stage.service,
      simulatedTask({ name: 'reads-it' }).replace(/^workload: .*$/m, 'workload: {dataset: {source: second}}'),
    );
    const page = await stage.page('/datasets');
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    const remove = (name: string) => page.getByRole('button', { name: `Delete: ${name}` }).click();
    await remove('dropped.jsonl');
    await row('dropped.jsonl').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await row('dropped.jsonl').waitFor();
    expect(await names()).toContain('dropped.jsonl');

    await remove('dropped.jsonl');
    await until('it is gone', async () => !(await names()).includes('dropped.jsonl'));
    await remove('second');
    await page.getByText('Data set second could not be deleted', { exact: true }).waitFor({ timeout: 20_000 });
    await page.getByRole('listitem').filter({ hasText: 'reads-it' }).waitFor();
    await shot(page, 'datasets-in-use-light-1440');
    await row('second').waitFor();
    expect(await names()).toContain('second');
    await page.context().close();
  });

  test('has one fetched as a job; what the service refuses is said with its hint', async () => {
    const page = await stage.page('/datasets');
    const address = page.getByRole('textbox', { name: 'Address' });
    await address.fill('http://127.0.0.1/x.jsonl');
    await page.getByRole('button', { name: 'Fetch', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: '--fetch-http' }).waitFor();
    await page.getByRole('textbox', { name: 'SHA-256' }).fill('123');
    await page.getByText('64 hexadecimal digits').waitFor();
    await page.getByRole('textbox', { name: 'SHA-256' }).fill('');
    await address.fill('https://nowhere.invalid/x.jsonl');
    await page.getByRole('button', { name: 'Fetch', exact: true }).click();
    const fetching = page.getByRole('region', { name: 'Fetching' });
    await fetching.getByText(/tries again|cannot be fetched/).waitFor();
    await expectAccessible(page);
    await fetching.getByRole('button', { name: 'Cancel job' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel job' }).click();
    await fetching.getByText('cancelled').waitFor();
    await page.context().close();
  });
});
