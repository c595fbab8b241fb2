import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { begin, card, cardIds, cardIn, kept, log, messageIds, newSession, say, starts, workerPids } from './chat';
import { expectAccessible, open, type Stage, shot, troublesOf, until } from './harness';
import { ScriptedModel } from './model';

let model: ScriptedModel;
let stage: Stage;
beforeAll(async () => {
  model = await ScriptedModel.start();
  Object.assign(process.env, model.variables());
  stage = await open();
  await until('a worker', async () => (await workerPids(stage.service)).length === 1);
});
afterAll(async () => {
  await stage?.close();
  await model?.stop();
});

/** Where several share two cores. */
const SOON = { timeout: 15_000 };

type Page = Awaited<ReturnType<Stage['page']>>;

/** What is seen once an answer is there. */
async function seen(page: Page, answer: string) {
  await log(page).getByText(answer).waitFor();
  return { cards: (await cardIds(page)).sort(), messages: await messageIds(page) };
}

const restart = (answer: string) => [{ calls: [{ name: 'restart_arq_worker', args: {} }] }, { text: answer }];
const note = (path: string) => ({ name: 'write_file', args: { path, text: 'kept by the agent' } });

describe('a call that needs permission', () => {
  test('R1.5 R2.5 R4.4 R6.4 R7.4: ask, card with its scope, grant, tick, what the model says then; so after reload and elsewhere', async () => {
    const [look, ...rest] = [
      { text: 'Let me **look** first.', calls: [{ name: 'get_arq_worker_status' }] },
      ...restart('The worker runs again.'),
    ];
    model.script('restart the worker', [look, ...rest]);
    const [before] = await workerPids(stage.service);
    const page = await stage.page('/chat');
    const session = await begin(page, 'Please restart the worker');
    const wanted = card(page, 'restart_arq_worker');
    await cardIn(page, 'restart_arq_worker', 'waiting').waitFor();
    await expect.poll(() => wanted.textContent(), SOON).toContain('restart, drain, stop and name workers');
    const text = await wanted.textContent();
    for (const part of ['Needs permission', 'Needs arq_control', String(before)]) expect(text).toContain(part);
    await expectAccessible(page);
    await shot(page, 'chat-card-light-1440');
    expect(await workerPids(stage.service)).toEqual([before]);

    await wanted.getByRole('button', { name: 'Grant arq_control', exact: true }).click();
    await cardIn(page, 'restart_arq_worker', 'executed').waitFor();
    const live = await seen(page, 'The worker runs again.');
    const [after] = await until('one new worker', async () => {
      const pids = await workerPids(stage.service);
      return pids.length === 1 && pids[0] !== before && pids;
    });
    await wanted.getByRole('button').first().click();
    await expect.poll(() => wanted.textContent(), SOON).toContain(`new_pid: ${after}`);
    await shot(page, 'chat-ticked-light-1440');

    const { items } = await kept(stage.service, session);
    expect(items.map((item) => item.role)).toEqual(['user', 'assistant', 'assistant', 'assistant']);
    expect(live.cards).toEqual(items.flatMap((item) => item.tool_calls.map((call) => call.id)).sort());
    await page.reload();
    expect(await seen(page, 'The worker runs again.')).toEqual(live);
    await cardIn(page, 'restart_arq_worker', 'executed').waitFor();
    const other = await stage.page(`/chat/${session}`);
    expect(await seen(other, 'The worker runs again.')).toEqual(live);
    await cardIn(other, 'restart_arq_worker', 'executed').waitFor();
    expect(troublesOf(page)).toEqual([]);
    await other.context().close();
    await page.context().close();
  });

  test('R3.1 R3.3: waiting is no error, a failure is one with its words, and both stay so after a reload', async () => {
    model.script('look at nothing', [
      { calls: [{ name: 'get_task_by_id', args: { task_id: 'nothing-like-it' } }, note('r3.md')] },
      { text: 'Done with R3.' },
    ]);
    const page = await stage.page('/chat');
    await begin(page, 'look at nothing, and write');
    const check = async () => {
      await cardIn(page, 'write_file', 'waiting').waitFor();
      const failed = cardIn(page, 'get_task_by_id', 'failed');
      await failed.waitFor();
      expect(await card(page, 'write_file').textContent()).not.toMatch(/failed|error/i);
      expect(await failed.textContent()).toContain('Failed');
      await failed.getByRole('button').first().click();
      await expect.poll(() => failed.textContent(), SOON).toContain('nothing-like-it');
    };
    await check();
    await page.reload();
    await check();
    await page.context().close();
  });

  test('R8.1 R8.2: while it is authorized its buttons take nothing; they come back after an error and after success', async () => {
    model.script('write r8', [{ calls: [note('r8.md')] }, { text: 'Written.' }, { text: '' }]);
    const page = await stage.page('/chat');
    await begin(page, 'write r8');
    const wanted = card(page, 'write_file');
    const grant = wanted.getByRole('button', { name: /^(Grant file_write|Authorizing…)$/ });
    let held: (() => void) | undefined;
    let asked = 0;
    await page.route('**/authorize', async (route) => {
      asked += 1;
      await new Promise<void>((resolve) => {
        held = resolve;
      });
      if (asked > 1) return route.continue();
      return route.fulfill({ status: 500, json: { code: 'internal', message: 'the disk is full', hint: 'make room' } });
    });
    await grant.click();
    await expect.poll(() => grant.textContent(), SOON).toBe('Authorizing…');
    expect(await grant.isDisabled()).toBe(true);
    expect(await grant.getAttribute('aria-busy')).toBe('true');
    expect(await grant.locator('svg.animate-spin').count()).toBe(1);
    for (const name of ['Allow once', 'Edit…', 'Deny…']) {
      expect(await wanted.getByRole('button', { name }).isDisabled(), name).toBe(true);
    }
    await shot(page, 'chat-authorizing-light-1440');
    held?.();
    await wanted.getByRole('alert').filter({ hasText: 'the disk is full' }).waitFor();
    await expect.poll(() => grant.textContent(), SOON).toBe('Grant file_write');
    expect(await grant.isEnabled()).toBe(true);

    await grant.click();
    await until('the second try', () => asked === 2 && held);
    held?.();
    await cardIn(page, 'write_file', 'executed').waitFor();
    await log(page).getByText('Written.').waitFor();

    // A grant that does not cover the call leaves it waiting, with its buttons.
    model.script('write again', [
      { calls: [note('again.md'), { name: 'hf_download_model', args: { repo_id: 'a/b' } }] },
      { text: 'No.' },
    ]);
    await page.unroute('**/authorize');
    await say(page, 'write again');
    const other = card(page, 'hf_download_model');
    await other.getByRole('button', { name: 'Allow once' }).waitFor();
    await cardIn(page, 'write_file', 'executed').nth(1).waitFor();
    expect(await other.getByRole('button', { name: 'Allow once' }).isEnabled()).toBe(true);
    await page.context().close();
  });

  test('R8.3 R5.1: ten fast clicks in each of two tabs: one execution, one tick, one continuation; so after reload and elsewhere', async () => {
    model.script('restart it twenty times', restart('It was restarted once.'));
    const before = await workerPids(stage.service);
    const first = await stage.page('/chat');
    const session = await begin(first, 'restart it twenty times');
    const second = await stage.page(`/chat/${session}`, { context: first.context() });
    const tabs = [first, second];
    for (const tab of tabs) await card(tab, 'restart_arq_worker').getByRole('button', { name: 'Allow once' }).waitFor();
    const click = (tab: Page, name: string) =>
      tab.evaluate((label) => {
        const button = [...document.querySelectorAll('button')].find((one) => one.textContent === label);
        for (let n = 0; n < 10; n++) button?.click();
      }, name);
    await Promise.all([click(first, 'Allow once'), click(second, 'Grant arq_control')]);
    const lives = [];
    for (const tab of tabs) {
      const settled = card(tab, 'restart_arq_worker').and(
        tab.locator(':is([data-state=executed], [data-state=failed])'),
      );
      await settled.waitFor().catch(async (error) => {
        const cards = (await kept(stage.service, session)).items.flatMap((item) => item.tool_calls);
        throw new Error(`the server keeps ${JSON.stringify(cards)}`, { cause: error });
      });
      expect(await settled.getAttribute('data-state'), await settled.textContent().then(String)).toBe('executed');
      lives.push(await seen(tab, 'It was restarted once.'));
    }
    expect(lives[0]).toEqual(lives[1]);
    expect(lives[0]?.cards).toHaveLength(1);
    expect(lives[0]?.messages, 'the question and the answer; between them the card').toHaveLength(2);
    expect(await starts(stage.service, session)).toEqual(['restart_arq_worker']);
    const after = await until('one worker', async () => {
      const pids = await workerPids(stage.service);
      return pids.length === 1 && pids;
    });
    expect(after).not.toEqual(before);
    const { items } = await kept(stage.service, session);
    expect(items.map((item) => item.role)).toEqual(['user', 'assistant', 'assistant']);
    await first.reload();
    expect(await seen(first, 'It was restarted once.')).toEqual(lives[0]);
    const other = await stage.page(`/chat/${session}`);
    expect(await seen(other, 'It was restarted once.')).toEqual(lives[0]);
    expect(await other.locator('[data-call][data-state="executed"]').count()).toBe(1);
    await other.context().close();
    await first.context().close();
  });

  test('R7.5: where the model is gone after the grant, the result is there and is kept, and one may go on', async () => {
    model.script('write r75', [{ calls: [note('r75.md')] }, { status: 400 }]);
    const page = await stage.page('/chat');
    await begin(page, 'write r75');
    await card(page, 'write_file').getByRole('button', { name: 'Allow once' }).click();
    await cardIn(page, 'write_file', 'executed').waitFor();
    await page.getByRole('note').waitFor();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    await page.reload();
    await cardIn(page, 'write_file', 'executed').waitFor();
    await page.getByRole('note').waitFor();
    model.script('write r75', [{ calls: [note('r75.md')] }, { text: 'Now I can say it.' }]);
    await page.getByRole('button', { name: 'Go on' }).click();
    await log(page).getByText('Now I can say it.').waitFor();
    expect(await page.getByRole('button', { name: 'Go on' }).count()).toBe(0);
    await page.context().close();
  });

  test('is denied with a reason that the model is told, or denied so that all stops', async () => {
    model.script('write secrets', [{ calls: [note('denied.md')] }, { text: 'Then I leave it.' }]);
    const page = await stage.page('/chat');
    const session = await begin(page, 'write secrets');
    const wanted = card(page, 'write_file');
    await wanted.getByRole('button', { name: 'Deny…' }).click();
    await wanted.getByRole('button', { name: 'Not what I asked for' }).click();
    await expectAccessible(page);
    await shot(page, 'chat-deny-light-1440');
    await wanted.getByRole('button', { name: 'Deny', exact: true }).click();
    await cardIn(page, 'write_file', 'denied').waitFor();
    await log(page).getByText('Then I leave it.').waitFor();
    const told = model.asked
      .at(-1)
      ?.messages.map((message) => message.content)
      .join('\n');
    expect(told).toContain('Not what I asked for');
    expect(await starts(stage.service, session)).toEqual([]);

    model.script('write more', [{ calls: [note('stopped.md')] }, { text: 'This is never said.' }]);
    await say(page, 'write more');
    const second = cardIn(page, 'write_file', 'waiting');
    await second.getByRole('button', { name: 'Deny…' }).click();
    await second.getByRole('button', { name: 'Deny and stop' }).click();
    await log(page)
      .getByText(/^Stopped/)
      .waitFor();
    expect(await log(page).getByText('This is never said.').count()).toBe(0);
    await page.context().close();
  });

  test('is done with other arguments, which are checked as they are typed; what the model had proposed stays to be seen', async () => {
    model.script('write an edit', [{ calls: [note('model.md')] }, { text: 'Edited.' }]);
    const page = await stage.page('/chat');
    const session = await begin(page, 'write an edit');
    await card(page, 'write_file').getByRole('button', { name: 'Edit…' }).click();
    const dialog = page.getByRole('dialog');
    const allow = dialog.getByRole('button', { name: 'Allow with these arguments' });
    expect(await allow.isDisabled()).toBe(true);
    const box = dialog.getByRole('textbox', { name: 'Arguments' });
    await box.fill('path: person.md\nwords: hello\n');
    await dialog.getByText('text is missing').waitFor();
    expect(await allow.isDisabled()).toBe(true);
    await box.fill('path: person.md\ntext: by a person\n');
    await dialog.getByText('- path: model.md').or(dialog.getByText('path: person.md')).first().waitFor();
    await expectAccessible(page);
    await shot(page, 'chat-edit-light-1440');
    await allow.click();
    await cardIn(page, 'write_file', 'executed').waitFor();
    const { items } = await kept(stage.service, session);
    const [call] = items.flatMap((item) => item.tool_calls);
    expect(call?.args).toEqual({ path: 'person.md', text: 'by a person' });
    await card(page, 'write_file').getByRole('button').first().click();
    const text = await card(page, 'write_file').textContent();
    expect(text).toContain('Arguments changed by');
    expect(text).toContain('path: model.md');
    await page.context().close();
  });

  test('R1.6: leave with limits, listed and taken back; the next call asks again', async () => {
    model.script('write one', [{ calls: [note('one.md')] }, { text: 'The first is written.' }]);
    model.script('write two', [{ calls: [note('two.md')] }, { text: 'The second is written.' }]);
    model.script('write three', [{ calls: [note('three.md')] }, { text: 'The third is written.' }]);
    const page = await stage.page('/chat');
    const session = await begin(page, 'write one');
    const wanted = card(page, 'write_file');
    await wanted.getByRole('button', { name: 'More ways to grant file_write' }).click();
    await page.getByRole('menuitem', { name: 'With limits…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Until').selectOption('in 8 hours');
    await dialog.getByLabel('Only for the tool write_file').check();
    await dialog.getByLabel('Calls at most').fill('5');
    await expectAccessible(page);
    await shot(page, 'chat-limits-light-1440');
    await dialog.getByRole('button', { name: 'Grant', exact: true }).click();
    await log(page).getByText('The first is written.').waitFor();
    await say(page, 'write two');
    await log(page).getByText('The second is written.').waitFor();
    expect(await cardIn(page, 'write_file', 'executed').count()).toBe(2);
    type Grant = { scope: string; tool: string; limits: object; uses: number; expires_at: string };
    const { items } = await stage.service.request<{ items: Grant[] }>('GET', `/api/agent/sessions/${session}/grants`);
    expect(items).toMatchObject([{ scope: 'file_write', tool: 'write_file', limits: { uses: 5 }, uses: 2 }]);
    expect(Date.parse(items[0]?.expires_at ?? '') - Date.now()).toBeGreaterThan(7.9 * 3_600_000);

    await page.getByRole('button', { name: '1 permission' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByText('used 2 of 5 times').waitFor();
    await expectAccessible(page);
    await shot(page, 'chat-details-light-1440');
    await drawer.getByRole('button', { name: 'Take back' }).click();
    await drawer.getByText('taken back').waitFor();
    await page.keyboard.press('Escape');
    await say(page, 'write three');
    await cardIn(page, 'write_file', 'waiting').waitFor();
    await page.context().close();
  });

  test('a plan is one card, and lets exactly its calls happen', async () => {
    const calls = [note('plan.md'), { name: 'restart_arq_worker', args: {} }];
    const planned = calls.map(({ name, args }) => ({ tool: name, arguments: args }));
    model.script('make a plan', [
      {
        text: 'I would do this:',
        calls: [{ name: 'propose_plan', args: { purpose: 'Note it, then restart.', calls: planned } }],
      },
      { calls: [note('plan.md')] },
      { calls: [note('other.md')] },
      { text: 'Planned.' },
    ]);
    const page = await stage.page('/chat');
    await begin(page, 'make a plan');
    const plan = card(page, 'propose_plan');
    await plan.getByRole('listitem').nth(1).waitFor();
    expect(await plan.getByRole('listitem').allTextContents()).toEqual([
      expect.stringContaining('write_file'),
      expect.stringContaining('restart_arq_worker'),
    ]);
    expect(await plan.getByRole('button', { name: /^Grant/ }).count()).toBe(0);
    await expectAccessible(page);
    await shot(page, 'chat-plan-light-1440');
    await plan.getByRole('button', { name: 'Approve this plan' }).click();
    await cardIn(page, 'write_file', 'executed').waitFor();
    await cardIn(page, 'write_file', 'waiting').waitFor();
    await page.context().close();
  });

  test('has no button with the focus, and Enter decides nothing', async () => {
    model.script('write at once', [{ calls: [note('enter.md')] }, { text: 'Hm.' }]);
    const page = await stage.page('/chat');
    const session = await begin(page, 'write at once');
    await card(page, 'write_file').getByRole('button', { name: 'Allow once' }).waitFor();
    const focused = await page.evaluate(() => document.activeElement?.closest('[data-call]') !== null);
    expect(focused).toBe(false);
    for (let n = 0; n < 5; n++) await page.keyboard.press('Enter');
    await page.locator('body').press('Enter');
    expect((await kept(stage.service, session)).items.flatMap((item) => item.tool_calls)[0]?.status).toBe(
      'requires_auth',
    );
    await page.context().close();
  });
});

test('what waits is shown everywhere, with a way to its card', async () => {
  const session = await newSession(stage.service);
  model.script('wait elsewhere', [{ calls: [note('elsewhere.md')] }, { text: 'Thanks.' }]);
  const page = await stage.page('/audit');
  await stage.service.request('POST', `/api/agent/sessions/${session}/messages`, { content: 'wait elsewhere' });
  const button = page.getByRole('button', { name: /calls? waits? for you/ });
  await button.click({ timeout: 40_000 });
  const link = page.getByRole('link', { name: /Write 17 bytes to notes\/elsewhere.md/ });
  await link.waitFor();
  await expectAccessible(page);
  await shot(page, 'chat-approvals-light-1440');
  await link.click();
  await page.waitForURL(new RegExp(`/chat/${session}\\?call=`));
  await card(page, 'write_file').getByRole('button', { name: 'Allow once' }).click();
  await log(page).getByText('Thanks.').waitFor();
  await page.context().close();
});
