import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible, open, type Stage, shot, troublesOf } from './harness';

let stage: Stage;
let token: string;
beforeAll(async () => {
  stage = await open(['--require-token'], async (service) => {
    const made = await service.cli('token', 'create', '--role', 'viewer', '--name', 'page', '--json');
    token = (JSON.parse(made) as { token: string }).token;
  });
});
afterAll(() => stage?.close());

test('a person signs in with a token, stays so after a reload, and signs out', async () => {
  const page = await stage.page('/workers');
  const field = page.getByLabel('Token');
  await field.waitFor();
  await expectAccessible(page);
  await shot(page, 'signin-light-1440');

  await field.fill('autotuner_mistyped');
  await page.keyboard.press('Enter');
  await page.getByText('The server does not know this token').waitFor();

  await field.fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Workers' }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();

  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Workers' }).waitFor();
  await page.getByRole('button', { name: 'Access' }).click();
  await page.getByRole('menu').getByText('viewer').waitFor();
  await shot(page, 'account-light-1440');
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  expect(troublesOf(page)).toEqual([]);
  await page.context().close();
});

test('a token lets in the tab that it was typed into, and no other', async () => {
  const page = await stage.page('/');
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
  const other = await stage.page('/', { context: page.context() });
  await other.getByLabel('Token').waitFor();
  await page.context().close();
});
