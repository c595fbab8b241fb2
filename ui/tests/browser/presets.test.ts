import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Preset } from '../../src/api/presets';
import { expectAccessible, open, type Stage, shot, troublesOf, until } from './harness';
import { everyLook } from './looks';

let stage: Stage;
beforeAll(async () => {
  stage = await open();
});
afterAll(() => stage?.close());

const get = (name: string) => stage.service.request<Preset>('GET', `/api/presets/${name}`);

describe('presets', () => {
  test('in both themes, wide and narrow', async () => {
    await everyLook(stage, '/presets', 'presets', (page) => page.getByText('vllm-performance').first().waitFor());
  });

  // W68: presets could not be created in the page.
  test('one is made, changed, copied, exported and imported again, whole', async () => {
    const page = await stage.page('/presets');
    await page.getByRole('link', { name: 'New preset' }).click();
    await page.getByRole('heading', { name: 'New preset' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('mine');
    await page.getByRole('combobox', { name: 'Add a parameter' }).fill('max-num-seqs');
    await page.getByRole('option', { name: /^max-num-seqs/ }).click();
    await page.getByRole('button', { name: 'Add a constraint' }).click();
    await page.getByLabel('Line 1', { exact: true }).fill('max-num-seqs > nothing');
    await page.getByText('unknown name nothing').first().waitFor();
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await expectAccessible(page);
    await shot(page, 'preset-new-light-1440');
    await page.getByLabel('Line 1', { exact: true }).fill('max-num-seqs > 1');
    const save = page.getByRole('button', { name: 'Save' });
    await until('saving to be possible', () => save.isEnabled());
    await save.click();
    await page.getByRole('dialog', { name: 'mine' }).waitFor();
    await expectAccessible(page);
    expect((await get('mine')).constraints).toEqual(['max-num-seqs > 1']);

    await page.getByRole('link', { name: 'Edit', exact: true }).click();
    await page.getByLabel('What it is for').fill('first try');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog', { name: 'mine' }).getByText('first try').waitFor();

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ]);
    const file = await readFile(await download.path(), 'utf8');
    await page.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('button', { name: 'Import' }).click();
    await page
      .getByLabel('Choose a file')
      .setInputFiles({ name: 'mine.yaml', mimeType: 'text/yaml', buffer: Buffer.from(file) });
    await page.getByText('mine.yaml will be imported').waitFor();
    const dialog = page.getByRole('dialog', { name: 'Import presets' });
    await dialog.getByRole('button', { name: 'Import' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByRole('button', { name: 'Replace the stored one' }).click();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Import' }).click();
    await dialog.getByText('One preset is stored').waitFor();
    expect(await get('mine')).toMatchObject({ description: 'first try', constraints: ['max-num-seqs > 1'] });
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('what is built in is copied, not changed; a deletion can be taken back', async () => {
    const page = await stage.page('/presets?open=vllm-performance');
    const drawer = page.getByRole('dialog', { name: 'vllm-performance' });
    await drawer.waitFor();
    expect(await drawer.getByRole('link', { name: 'Edit', exact: true }).count()).toBe(0);
    await drawer.getByRole('link', { name: 'Copy' }).click();
    await page.getByRole('heading', { name: 'Copy of vllm-performance' }).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    const made = page.getByRole('dialog', { name: 'vllm-performance-2' });
    await made.waitFor();
    const { built_in: _, created_at: __, updated_at: ___, ...copy } = await get('vllm-performance-2');
    const original = await get('vllm-performance');
    expect(copy).toEqual({ ...original, name: 'vllm-performance-2', built_in: undefined });
    await made.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Preset vllm-performance-2 is deleted', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('row', { name: /vllm-performance-2/ }).waitFor();
    expect((await get('vllm-performance-2')).name).toBe('vllm-performance-2');
    await page.context().close();
  });

  test('several are looked at as one, and used in a new task', async () => {
    const page = await stage.page('/presets?engine=vllm&category=general');
    for (const name of ['vllm-performance', 'vllm-scheduler']) {
      await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).click();
    }
    await page.getByLabel('How they become one').selectOption('The last one wins');
    await page.getByText('2 things are not followed').waitFor();
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Use 2 in a new task' }).click();
    await page.getByRole('heading', { name: 'New task' }).waitFor();
    await page.locator('.cm-line', { hasText: 'presets: [vllm-performance, vllm-scheduler]' }).waitFor();
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });
});
