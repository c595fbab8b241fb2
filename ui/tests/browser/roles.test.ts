import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, open, type Stage, shot, simulatedTask, troublesOf } from './harness';
import { signedIn } from './looks';

type Role = 'viewer' | 'operator' | 'admin';
const tokens = {} as Record<Role, string>;
let stage: Stage;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autotuner-roles-'));
  await writeFile(join(folder, 'task.yaml'), simulatedTask({ name: 'seen-by-all', experiments: 4 }));
  await writeFile(join(folder, 'seen.jsonl'), '{"prompt":"x","output_tokens":1}\n');
  stage = await open(['--require-token'], async (service) => {
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const made = await service.cli('token', 'create', '--role', role, '--name', role, '--json');
      tokens[role] = (JSON.parse(made) as { token: string }).token;
    }
    await service.cli('dataset', 'add', join(folder, 'seen.jsonl'));
    await service.cli('tasks', 'start', join(folder, 'task.yaml'));
  });
});
afterAll(async () => {
  await stage?.close();
  await rm(folder, { recursive: true, force: true });
});

async function as(role: Role, path: string): Promise<Page> {
  const context = await signedIn(stage, tokens[role]);
  const page = await stage.page(path, { context });
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
  return page;
}

/** A page, something that everybody sees there, and what only a larger role gets. */
const PAGES: [path: string, seen: string | RegExp, change: RegExp][] = [
  ['/', 'Machine', /^(New task|Restart .*|Run an example)$/],
  ['/engines', 'Simulated engine', /^Install/],
  ['/deployments', /No engine runs/, /^Stop$/],
  ['/workers', 'alive', /^Actions of/],
  ['/jobs', 'seen-by-all', /^(Cancel job|Retry)$/],
];

const buttons = (page: Page, name: RegExp) =>
  page.locator('main').getByRole('button', { name }).or(page.locator('main').getByRole('link', { name })).count();

describe('roles', () => {
  test.each(PAGES)('a viewer changes nothing on %s', async (path, seen, change) => {
    const page = await as('viewer', path);
    await page.locator('main').getByText(seen).first().waitFor();
    expect(await buttons(page, change)).toBe(0);
    await expectAccessible(page);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test.each([
    ['/', 'Machine', /^(New task|Restart .*)$/],
    ['/engines', 'Simulated engine', /^Install/],
    ['/workers', 'alive', /^Actions of/],
  ] as typeof PAGES)('an operator does on %s', async (path, seen, change) => {
    const page = await as('operator', path);
    await page.locator('main').getByText(seen).first().waitFor();
    await expect.poll(() => buttons(page, change)).toBeGreaterThan(0);
    await page.context().close();
  });

  test('a viewer may not see data sets, an operator may', async () => {
    const page = await as('viewer', '/datasets');
    await page.getByText('You may not see this').waitFor();
    await page.getByText('token create --role operator').waitFor();
    expect(await page.getByRole('button', { name: 'Send files' }).count()).toBe(0);
    await expectAccessible(page);
    await shot(page, 'datasets-no-permission-light-1440');
    await page.context().close();
    const theirs = await as('operator', '/datasets');
    await theirs.getByRole('row').filter({ hasText: 'seen.jsonl' }).waitFor();
    await theirs.getByRole('button', { name: 'Send files' }).waitFor();
    await theirs.context().close();
  });

  test('only an admin sees the audit log and the tokens', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      const page = await as(role, '/audit');
      await page.getByText('You may not see this').waitFor();
      await page.getByText('token create --role admin').waitFor();
      await expectAccessible(page);
      await page.context().close();
    }
    const page = await as('admin', '/settings?tab=tokens');
    const own = page.getByRole('row').filter({ hasText: 'this tab' });
    await own.getByText('admin').first().waitFor();
    await page.getByRole('button', { name: 'New token' }).waitFor();
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
    await page.context().close();
  });
});
