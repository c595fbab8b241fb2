import { afterAll, beforeAll, expect, test } from 'vitest';
import { log, newSession } from './chat';
import { expectAccessible, open, type Stage, shot } from './harness';

/** A service whose agent has no model. */
let stage: Stage;
beforeAll(async () => {
  for (const name of ['AGENT_PROVIDER', 'AGENT_MODEL', 'AGENT_BASE_URL', 'AGENT_API_KEY']) delete process.env[name];
  stage = await open();
});
afterAll(() => stage?.close());

test.each([
  ['light', 1440],
  ['dark', 390],
] as const)('without a model the page says what to set, %s at %d px', async (theme, width) => {
  const page = await stage.page('/chat', { theme, width });
  const setup = page.getByRole('region', { name: 'The agent needs a chat model' });
  await setup.getByText('AGENT_BASE_URL', { exact: true }).waitFor();
  expect(await setup.getByText('Missing').count()).toBeGreaterThan(0);
  expect(await page.getByRole('textbox', { name: 'Message to the agent' }).isDisabled()).toBe(true);
  await expectAccessible(page);
  await shot(page, `chat-setup-${theme}-${width}`);
  await page.context().close();
});

test('conversations are read and their titles changed all the same', async () => {
  const session = await newSession(stage.service);
  const page = await stage.page(`/chat/${session}`);
  await log(page).waitFor();
  await page.getByText('The agent has no model to talk with.').waitFor();
  await page.getByRole('button', { name: 'Change the title' }).click();
  await page.getByRole('textbox', { name: 'Title' }).fill('Kept');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Kept' }).waitFor();
  await page.context().close();
});

test('a conversation that is not there is said to be gone', async () => {
  const page = await stage.page('/chat/00000000-0000-0000-0000-000000000000');
  await page.getByText('This conversation is gone').waitFor();
  await expectAccessible(page);
  await page.context().close();
});
