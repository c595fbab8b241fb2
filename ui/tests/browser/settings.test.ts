import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TokenItem } from '@/api/tokens';
import { expectAccessible, open, type Stage, shot } from './harness';
import { everyLook, signedIn } from './looks';
import { ScriptedModel } from './model';

let stage: Stage;
let model: ScriptedModel;
beforeAll(async () => {
  model = await ScriptedModel.start();
  Object.assign(process.env, model.variables(), { HF_TOKEN: 'hf_not_to_be_shown' });
  stage = await open(['--workers', '0']);
});
afterAll(async () => {
  await stage?.close();
  await model?.stop();
});

const tokens = async () => (await stage.service.request<{ items: TokenItem[] }>('GET', '/api/tokens')).items;

describe('the page of settings', () => {
  test.each(['access', 'tokens', 'service', 'agent', 'appearance', 'about'])('%s in every look', async (tab) => {
    await everyLook(stage, `/settings?tab=${tab}`, `settings-${tab}`, async (page) => {
      await page.getByRole('tabpanel').waitFor();
      await page.getByRole('status', { name: 'Loading…' }).first().waitFor({ state: 'detached' });
    });
  });

  test('makes a token whose text is shown once, and revokes it', async () => {
    const page = await stage.page('/settings?tab=tokens');
    await page.getByText('No tokens').waitFor();
    await page.getByRole('button', { name: 'New token' }).click();
    const form = page.getByRole('dialog', { name: 'New token' });
    await form.getByRole('button', { name: 'Create token' }).click();
    await form.getByText('1 to 100 characters').waitFor();
    await form.getByLabel('Name').fill('laptop of a person');
    await form.getByLabel('Role').selectOption('operator');
    await form.getByLabel('Works until').selectOption('week');
    await expectAccessible(page);
    await shot(page, 'settings-new-token-light-1440');
    await form.getByRole('button', { name: 'Create token' }).click();

    const made = page.getByRole('dialog', { name: 'Token laptop of a person' });
    const secret = (await made.getByRole('region', { name: 'Token, shown once' }).textContent())?.trim() ?? '';
    expect(secret).toMatch(/^autotuner_[0-9a-f]+_[0-9a-f]+$/);
    await expectAccessible(page);
    await made.getByRole('button', { name: 'I have kept it' }).click();
    const row = page.getByRole('row').filter({ hasText: 'laptop of a person' });
    await row.getByText('works').waitFor();
    expect(await page.content()).not.toContain(secret);
    const [kept] = await tokens();
    expect(kept?.role).toBe('operator');
    expect(Date.parse(kept?.expires_at ?? '') - Date.now()).toBeGreaterThan(6 * 86_400_000);

    // It lets somebody in, with its role.
    const context = await signedIn(stage, secret);
    const theirs = await stage.page('/settings', { context });
    await theirs.getByRole('tabpanel').getByText('laptop of a person').waitFor();
    await theirs.getByRole('tab', { name: 'Tokens' }).click();
    await theirs.getByText('You may not see this').waitFor();
    await expectAccessible(theirs);
    await context.close();

    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByText('stops working at once').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('revoked').waitFor();
    expect((await tokens())[0]?.works).toBe(false);
    await page.context().close();
  });

  test('signs in with another token, and out', async () => {
    const { token } = await stage.service.request<{ token: string }>('POST', '/api/tokens', {
      name: 'v',
      role: 'viewer',
    });
    const page = await stage.page('/settings');
    const panel = page.getByRole('tabpanel');
    await panel.getByText('without a token').waitFor();
    await panel.getByRole('textbox', { name: 'Token' }).fill(token);
    await panel.getByRole('button', { name: 'Sign in' }).click();
    await panel.getByText('with a token, in this tab only').waitFor();
    await panel.getByText('viewer', { exact: true }).first().waitFor();
    await panel.getByRole('button', { name: 'Sign out' }).click();
    await panel.getByText('without a token').waitFor();
    await page.context().close();
  });

  test('says of secrets whether they are set, never what they are', async () => {
    const page = await stage.page('/settings?tab=service');
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    await row('HF_TOKEN').getByText('set', { exact: true }).waitFor();
    await row('GH_TOKEN').getByText('not set').waitFor();
    await row('GH_REPO').getByText('not reported').waitFor();
    await page.getByText(stage.service.dataDir).waitFor();
    expect(await page.content()).not.toContain('hf_not_to_be_shown');
    await page.context().close();
  });

  test('tests the way to the model, step by step', async () => {
    const page = await stage.page('/settings?tab=agent');
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('Something answers at the address').waitFor();
    await page.getByText('The model calls tools').waitFor();
    await expectAccessible(page);
    await shot(page, 'settings-agent-tested-light-1440');
    await page.context().close();
  });

  test('keeps theme and size in the browser', async () => {
    const page = await stage.page('/settings?tab=appearance', { timezone: 'Asia/Tokyo' });
    await page.getByText('Asia/Tokyo').waitFor();
    const size = () => page.evaluate(() => getComputedStyle(document.documentElement).fontSize);
    expect(await size()).toBe('16px');
    const theme = page.getByRole('combobox', { name: 'Theme' });
    await theme.selectOption('dark');
    await page.getByLabel('Size').selectOption('roomy');
    await expect.poll(size).toBe('18px');
    await page.reload();
    await page.getByText('Asia/Tokyo').waitFor();
    await expect.poll(size).toBe('18px');
    expect(await theme.inputValue()).toBe('dark');
    await expectAccessible(page);
    await page.context().close();
  });
});

describe('the model of the agent', () => {
  /** A service whose environment says nothing of the agent. */
  let unset: Stage;
  beforeAll(async () => {
    for (const name of ['AGENT_API_KEY', ...Object.keys(model.variables())]) delete process.env[name];
    unset = await open(['--workers', '0']);
  });
  afterAll(() => unset?.close());

  const formOf = (page: Page) => page.getByRole('region', { name: 'Model of the agent' });
  const statusOf = (page: Page) => page.getByRole('region', { name: 'The agent', exact: true });

  test('what variables set is shown and cannot be changed', async () => {
    const page = await stage.page('/settings?tab=agent');
    const form = formOf(page);
    await form.getByText('Set by the variable AGENT_MODEL').waitFor();
    expect(await form.getByLabel('Model', { exact: true }).inputValue()).toBe('scripted');
    for (const label of ['Provider', 'Model', 'Address']) {
      expect(await form.getByLabel(label, { exact: true }).isDisabled(), label).toBe(true);
    }
    expect(await form.getByLabel('Key', { exact: true }).isEnabled()).toBe(true);
    expect(await form.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await expect(stage.service.request('PUT', '/api/agent/settings', { model: 'another' })).rejects.toThrow(
      /409.*set_by_variable/,
    );
    await page.context().close();
  });

  test('is set without a restart', async () => {
    const page = await unset.page('/settings?tab=agent');
    const form = formOf(page);
    const save = form.getByRole('button', { name: 'Save' });
    const tried = page.getByRole('button', { name: 'Test the connection' });
    await statusOf(page).getByText('not set up', { exact: true }).waitFor();
    await form.getByText('Still missing: the model, the address.').waitFor();
    expect(await save.isDisabled()).toBe(true);
    expect(await tried.isDisabled()).toBe(true);

    await form.getByLabel('Provider').selectOption('openai');
    await form.getByText('Still missing: the model, the key.').waitFor();
    await form.getByLabel('Provider').selectOption('local');
    await form.getByLabel('Model', { exact: true }).fill('scripted');
    await form.getByLabel('Address').fill('no address');
    await save.click();
    await form.getByRole('alert').waitFor();
    await expectAccessible(page);
    await statusOf(page).getByText('not set up', { exact: true }).waitFor();

    await form.getByLabel('Address').fill(model.baseUrl);
    await save.click();
    await statusOf(page).getByText('ready', { exact: true }).waitFor();
    await form.getByText('Saved').waitFor();
    expect(await form.getByRole('alert').count()).toBe(0);
    expect(await save.isDisabled()).toBe(true);
    await expectAccessible(page);
    await shot(page, 'settings-agent-set-light-1440');

    await tried.click();
    await page.getByText('The model calls tools').waitFor();
    await page.reload();
    await statusOf(page).getByText('ready', { exact: true }).waitFor();
    await expect.poll(() => form.getByLabel('Model', { exact: true }).inputValue()).toBe('scripted');
    expect(await form.getByLabel('Address').inputValue()).toBe(model.baseUrl);
    await page.context().close();
  });

  test('its key is taken, never shown, and removed', async () => {
    const secret = 'sk-not-to-be-shown';
    const page = await unset.page('/settings?tab=agent');
    const form = formOf(page);
    const key = form.getByLabel('Key', { exact: true });
    const placeholder = () => key.getAttribute('placeholder');
    await key.waitFor();
    expect(await placeholder()).toBe('not set');
    expect(await form.getByRole('button', { name: 'Remove key' }).count()).toBe(0);
    await key.fill(secret);
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('Saved').waitFor();
    await expect.poll(placeholder).toBe('set; leave empty to keep');
    expect(await key.inputValue()).toBe('');
    expect(await page.content()).not.toContain(secret);

    const answers: Promise<string>[] = [];
    page.on('response', (response) => {
      if (response.url().includes('/api/agent/settings')) answers.push(response.text().catch(() => ''));
    });
    await page.reload();
    await expect.poll(placeholder).toBe('set; leave empty to keep');
    expect(await key.inputValue()).toBe('');
    expect(await page.content()).not.toContain(secret);
    expect(answers.length).toBeGreaterThan(0);
    expect((await Promise.all(answers)).join()).not.toContain(secret);
    // What else was set stays as it was.
    expect(await form.getByLabel('Model', { exact: true }).inputValue()).toBe('scripted');

    // It was not given for another provider: the page says that it will be forgotten.
    await form.getByLabel('Provider').selectOption('openai');
    await form.getByText('The key that is set was given for the old provider').waitFor();
    await form.getByText('Still missing: the key.').waitFor();
    await expectAccessible(page);
    await form.getByLabel('Provider').selectOption('local');

    await form.getByRole('button', { name: 'Remove key' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove key' }).click();
    await expect.poll(placeholder).toBe('not set');
    await statusOf(page).getByText('ready', { exact: true }).waitFor();
    await page.context().close();
  });

  test.each(['viewer', 'operator'] as const)('a %s sees the state and no form', async (role) => {
    const { token } = await unset.service.request<{ token: string }>('POST', '/api/tokens', { name: role, role });
    const context = await signedIn(unset, token);
    const page = await unset.page('/settings?tab=agent', { context });
    await statusOf(page).getByText('ready', { exact: true }).waitFor();
    await page
      .getByText(role === 'viewer' ? 'Testing needs the role operator.' : 'Asks the model in five steps')
      .waitFor();
    expect(await formOf(page).count()).toBe(0);
    const asked = await fetch(`${unset.service.url}/api/agent/settings`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(asked.status).toBe(403);
    await context.close();
  });
});
