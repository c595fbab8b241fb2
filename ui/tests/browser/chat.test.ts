import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { begin, card, cardIn, kept, log, newSession, say, sessionOf } from './chat';
import { expectAccessible, open, runTask, type Stage, shot, troublesOf, until } from './harness';
import { LOOKS } from './looks';
import { ScriptedModel } from './model';

let model: ScriptedModel;
let stage: Stage;
let task: { id: string; name: string };
beforeAll(async () => {
  model = await ScriptedModel.start();
  Object.assign(process.env, model.variables());
  stage = await open();
  task = await runTask(stage.service, { name: 'support-chat', experiments: 6 });
});
afterAll(async () => {
  await stage?.close();
  await model?.stop();
});

/** Where several share two cores. */
const SOON = { timeout: 15_000 };

const RICH = `## What I found

The best of **support-chat** is experiment 3 of support-chat; experiment 4 of nothing-known is none. See also
[the guide](https://example.org/guide).

| experiment | throughput | p99 |
|---:|---:|---|
| 1 | 412 tok/s | 800 ms |
| 3 | 633 tok/s | 740 ms |

1. Raise \`max-num-seqs\`.
2. Keep the rest:

\`\`\`yaml
max-num-seqs: 128

enable-prefix-caching: true
\`\`\`

- [x] measured
- [ ] verified
`;

describe('answers', () => {
  test.each(LOOKS)(
    'are Markdown with tables, code and links to experiments; accessible, %s at %d px',
    async (theme, width) => {
      model.script('what did you find', [
        {
          reasoning: 'The task has six experiments.',
          text: 'I look at it.',
          calls: [{ name: 'get_task_by_name', args: { task_name: 'support-chat' } }, { name: 'list_tasks' }],
        },
        {
          calls: [
            { name: 'get_task_results', args: { task_id: 'support-chat' } },
            { name: 'show_chart', args: { task_id: 'support-chat', kind: 'history' } },
          ],
        },
        { text: RICH, usage: { input: 5321, output: 180 } },
        { text: '' },
      ]);
      model.script('and start it again', [
        {
          calls: [
            { name: 'restart_task', args: { task_id: 'support-chat' } },
            { name: 'delete_task', args: { task_id: 'support-chat' } },
          ],
        },
      ]);
      const page = await stage.page('/chat', { theme, width });
      await begin(page, 'what did you find out about support-chat?');
      const link = log(page).getByRole('link', { name: 'experiment 3 of support-chat' });
      await link.waitFor();
      expect(await link.getAttribute('href')).toBe(`/tasks/${task.id}/experiments/3`);
      expect(
        await log(page)
          .getByRole('link', { name: /nothing-known/ })
          .count(),
      ).toBe(0);
      const outside = log(page).getByRole('link', { name: 'the guide' });
      expect(await outside.getAttribute('rel')).toContain('noopener');
      expect(await log(page).getByRole('table').getByRole('row').count()).toBe(3);
      expect(await log(page).getByRole('button', { name: 'Copy', exact: true }).count()).toBeGreaterThanOrEqual(1);
      await log(page).getByText('Looked at 3 things').waitFor();
      await card(page, 'show_chart').locator('svg, canvas').first().waitFor();
      await expectAccessible(page);
      await shot(page, `chat-answer-${theme}-${width}`);
      await log(page).evaluate((area) => area.scrollTo(0, 0));
      await shot(page, `chat-answer-top-${theme}-${width}`);
      await say(page, 'and start it again');
      await card(page, 'delete_task').getByRole('button', { name: 'Allow once' }).waitFor();
      await expectAccessible(page);
      await shot(page, `chat-cards-${theme}-${width}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      expect(wide, 'nothing scrolls sideways').toBe(false);
      expect(troublesOf(page)).toEqual([]);
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.context().close();
    },
  );

  test('with hostile Markdown and HTML are text: no script, no picture of another host, no dangerous link', async () => {
    const evil = [
      '<script>window.owned = 1</script><img src=x onerror="window.owned=2">',
      '![tracker](https://example.org/t.png) [click](javascript:window.owned=3) <iframe src="/"></iframe>',
      '<details open ontoggle="window.owned=4">',
    ].join('\n\n');
    const args = { path: '<img src=x onerror=alert(1)>.md', text: evil };
    model.script('be evil', [
      {
        text: evil,
        calls: [
          { name: 'write_file', args },
          { name: 'get_task_by_id', args: { task_id: evil } },
        ],
      },
    ]);
    const page = await stage.page('/chat');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await begin(page, 'be evil');
    await cardIn(page, 'write_file', 'waiting').waitFor();
    const failed = cardIn(page, 'get_task_by_id', 'failed');
    await failed.getByRole('button').first().click();
    await failed.getByText('ontoggle').first().waitFor();
    await log(page).getByText('<script>window.owned = 1</script>').first().waitFor();
    const inside = log(page).locator('script, img, iframe, details');
    expect(await inside.count()).toBe(0);
    expect(await log(page).locator('a[href^="javascript"]').count()).toBe(0);
    expect(await page.evaluate(() => (window as { owned?: number }).owned)).toBeUndefined();
    expect(asked.filter((url) => !url.startsWith(stage.url))).toEqual([]);
    await page.context().close();
  });

  test('come in pieces, stay smooth while long, and can be stopped; what is said meanwhile is queued', async () => {
    const long = Array.from(
      { length: 900 },
      (_, n) => `Paragraph ${n} with **bold** words, \`code\` and a [link](/tasks).\n\n`,
    );
    model.script('write a book', [{ text: long, pauseMs: 2, hangs: true }]);
    const page = await stage.page('/chat');
    const session = await begin(page, 'write a book');
    await log(page).getByText('Paragraph 20 ').waitFor();
    const pauses = page.evaluate(async () => {
      const found: number[] = [];
      let last = performance.now();
      while (!document.querySelector('[role=log]')?.textContent?.includes('Paragraph 899 ')) {
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        found.push(now - last);
        last = now;
      }
      return found.sort((a, b) => a - b);
    });
    const sorted = await pauses;
    const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
    const all = (sorted.reduce((sum, one) => sum + one, 0) / 1000).toFixed(1);
    const figures = `median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, ${all} s in all`;
    process.stdout.write(
      `    pauses between pictures while ${long.join('').length} characters are written: ${figures}\n`,
    );
    const end = await log(page).evaluate((area) => area.scrollHeight - area.scrollTop - area.clientHeight);
    expect(end, 'it stays at its end').toBeLessThan(80);

    await say(page, 'and a second one');
    await log(page).getByText('Queued').waitFor();
    await expectAccessible(page);
    const cut = model.cut;
    await page.getByRole('button', { name: 'Stop' }).click();
    await log(page)
      .getByText(/^Stopped/)
      .waitFor();
    await until('the closed connection', () => model.cut > cut);
    await page.reload();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    const { items } = await kept(stage.service, session);
    expect(items.filter((item) => item.role === 'user').map((item) => item.content)).toEqual([
      'write a book',
      'and a second one',
    ]);
    await page.context().close();
  });

  test('survive the death of the service in their middle; nothing is lost or doubled', async () => {
    model.script('tell me a lot', [
      { calls: [{ name: 'list_tasks' }] },
      { text: ['It begins. ', 'And goes on.'], pauseMs: 1200, hangs: true },
    ]);
    const page = await stage.page('/chat');
    const session = await begin(page, 'tell me a lot');
    await log(page).getByText('It begins.').waitFor();
    await stage.service.kill();
    model.script('tell me a lot', [{ calls: [{ name: 'list_tasks' }] }, { text: 'All of it, in the end.' }]);
    model.release();
    await stage.service.run();
    await log(page).getByText('All of it, in the end.').waitFor({ timeout: 60_000 });
    expect(await log(page).getByText('It begins.').count()).toBe(0);
    expect(await log(page).locator('[data-call]').count()).toBe(1);
    const shown = await log(page).locator('[data-message]').count();
    expect(shown).toBe((await kept(stage.service, session)).items.filter((item) => item.content !== '').length);
    await page.context().close();
  });

  test('R6.3: what happens elsewhere is shown at once: messages, title, thumbs, mode', async () => {
    model.script('hello from elsewhere', [{ text: 'Hello back.' }]);
    const session = await newSession(stage.service);
    const page = await stage.page(`/chat/${session}`);
    const other = await stage.page(`/chat/${session}`);
    await stage.service.request('POST', `/api/agent/sessions/${session}/messages?no_wait=true`, {
      content: 'hello from elsewhere',
    });
    for (const tab of [page, other]) await log(tab).getByText('Hello back.').waitFor();
    await page.getByRole('button', { name: 'Good answer' }).click();
    await page.getByRole('textbox', { name: 'Why? (optional)' }).fill('short');
    await page.keyboard.press('Enter');
    await other.getByText('“short”').waitFor();
    expect(await other.getByRole('button', { name: 'Good answer' }).getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('button', { name: 'Change the title' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('A better title');
    await page.keyboard.press('Enter');
    await other.getByRole('heading', { level: 1, name: 'A better title' }).waitFor();
    await other.getByRole('button', { name: 'Mode: Asks you' }).click();
    await other.getByRole('menuitemradio', { name: 'Only looks' }).click();
    await page.getByRole('button', { name: 'Mode: Only looks' }).waitFor();
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Let the model name it' }).click();
    await other.getByRole('heading', { level: 1, name: model.title }).waitFor();
    await page.getByRole('button', { name: 'More actions' }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'Save as Markdown' }).click();
    expect((await download).suggestedFilename()).toBe('A-title-of-the-model.md');
    await other.context().close();
    await page.context().close();
  });
});

describe('conversations', () => {
  test('are found, renamed, deleted and brought back', async () => {
    model.script('about llamas', [{ text: 'Llamas are fine.' }]);
    model.script('about zebras', [{ text: 'Zebras have stripes.' }]);
    const page = await stage.page('/chat');
    await begin(page, 'about llamas');
    await log(page).getByText('Llamas are fine.').waitFor();
    await page.getByRole('link', { name: 'New conversation' }).click();
    await begin(page, 'about zebras');
    await log(page).getByText('Zebras have stripes.').waitFor();
    const list = page.getByRole('list', { name: 'Conversations', exact: true });
    await page.getByRole('searchbox', { name: 'Search conversations' }).fill('stripes');
    await expect.poll(() => list.getByRole('listitem').count(), SOON).toBe(1);
    expect(new URL(page.url()).search).toContain('q=stripes');
    await page.getByRole('button', { name: 'Actions for about zebras' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await list.getByRole('textbox', { name: 'Title' }).fill('Striped horses');
    await page.keyboard.press('Enter');
    await list.getByRole('link', { name: /Striped horses/ }).waitFor();
    const session = sessionOf(page);
    await page.getByRole('button', { name: 'Actions for Striped horses' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect.poll(() => list.getByRole('listitem').count(), SOON).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await list.getByRole('link', { name: /Striped horses/ }).click();
    await page.waitForURL(new RegExp(session));
    await stage.service.request('DELETE', `/api/agent/sessions/${session}`);
    await page.getByText('This conversation is gone').waitFor();
    await page.context().close();
  });

  test('keep what is typed, and bring back what was said', async () => {
    model.script('first words', [{ text: 'Yes.' }]);
    const page = await stage.page('/chat');
    await begin(page, 'first words');
    const box = page.getByRole('textbox', { name: 'Message to the agent' });
    await log(page).getByText('Yes.').waitFor();
    await box.press('ArrowUp');
    expect(await box.inputValue()).toBe('first words');
    await box.fill('line one');
    await box.press('Shift+Enter');
    await box.pressSequentially('line two');
    expect(await box.inputValue()).toBe('line one\nline two');
    await page.getByRole('link', { name: 'New conversation' }).click();
    await page.getByRole('heading', { name: 'New conversation' }).waitFor();
    expect(await box.inputValue()).toBe('');
    await page.goBack();
    await expect.poll(() => box.inputValue(), SOON).toBe('line one\nline two');
    await page.reload();
    await expect.poll(() => box.inputValue(), SOON).toBe('line one\nline two');
    await page.context().close();
  });

  test('watch tasks, and say what they used', async () => {
    model.script('[task_completed]', [{ text: 'It went well.' }]);
    const session = await newSession(stage.service);
    const page = await stage.page(`/chat/${session}`);
    await page.getByRole('button', { name: 'Details' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('combobox', { name: 'Task' }).fill('support');
    await page.keyboard.press('Enter');
    await drawer.getByRole('button', { name: 'Watch', exact: true }).click();
    await page.keyboard.press('Escape');
    // The task had ended: the agent is told at once.
    await log(page).getByText('It went well.').waitFor();
    await page.getByRole('button', { name: 'Details' }).click();
    await drawer.getByText('Tokens sent').waitFor();
    await drawer.getByRole('button', { name: 'Test the connection' }).click();
    await drawer.getByText('The model can be used').waitFor();
    await expectAccessible(page);
    await shot(page, 'chat-details-full-light-1440');
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)('stand in a drawer on narrow screens, %s', async (theme) => {
    const page = await stage.page('/chat', { width: 390, theme });
    await expectAccessible(page);
    await shot(page, `chat-empty-${theme}-390`);
    await page.getByRole('button', { name: 'Show conversations' }).click();
    await page.getByRole('dialog').getByRole('list', { name: 'Conversations', exact: true }).waitFor();
    await expectAccessible(page);
    await shot(page, `chat-drawer-${theme}-390`);
    await page.getByRole('dialog').getByRole('listitem').first().getByRole('link').click();
    await log(page).waitFor();
    await page.context().close();
  });
});
