import { type Browser, chromium, type Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, FLAGS, shot } from './harness';
import { LOOKS } from './looks';
import { freePort } from './service';

let server: ViteDevServer;
let browser: Browser;
let url: string;

beforeAll(async () => {
  const port = await freePort();
  server = await createServer({
    root: new URL('../..', import.meta.url).pathname,
    logLevel: 'error',
    server: { port, host: '127.0.0.1', strictPort: true, watch: null, hmr: false },
  });
  await server.listen();
  url = `http://127.0.0.1:${port}/tests/gallery/index.html`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function gallery(theme: 'light' | 'dark', width: number): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: { width, height: 1000 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(url);
  await page.getByRole('heading', { name: 'Components' }).waitFor();
  await page.locator('canvas').first().waitFor();
  return { page, errors };
}

describe('the components', () => {
  test.each(LOOKS)('are accessible, %s at %d px', async (theme, width) => {
    const { page, errors } = await gallery(theme, width);
    await shot(page, `components-${theme}-${width}`, true);
    await expectAccessible(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide, 'nothing is cut off or scrolls sideways').toBe(false);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  test('a table of 10,000 rows draws few of them, and is walked with the keyboard', async () => {
    const { page } = await gallery('light', 1440);
    const table = page.getByRole('grid', { name: 'Experiments' });
    expect(await table.getByRole('row').count()).toBeLessThan(60);
    await table.locator('[role=row][tabindex="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByText('opened 2').waitFor();
    await page.keyboard.press('End');
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex'))).toBe('10001');
    await page.keyboard.press(' ');
    await page.getByText('3 selected').waitFor();
    await table.getByRole('button', { name: 'Output throughput' }).click();
    await page.keyboard.press('Enter');
    await expect.poll(() => table.getByRole('columnheader').nth(3).getAttribute('aria-sort')).toBe('descending');
    await page.context().close();
  });

  test('a plot has a table twin', async () => {
    const { page } = await gallery('light', 1440);
    const plot = page.getByRole('region', { name: 'History' });
    await plot.getByRole('button', { name: 'As a table' }).click();
    await plot.getByRole('grid').waitFor();
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      plot
        .getByRole('button', { name: 'Save' })
        .click()
        .then(() => page.getByRole('menuitem', { name: 'Save as CSV' }).click()),
    ]);
    expect(saved.suggestedFilename()).toBe('history.csv');
    await page.context().close();
  });

  test('a deletion can be undone, and a question answered, with the keyboard', async () => {
    const { page } = await gallery('light', 1440);
    await page.getByRole('button', { name: 'Delete undoably' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Preset long is deleted', { exact: true }).waitFor();
    await shot(page, 'toast-light-1440');
    await page.getByRole('button', { name: 'Undo', exact: true }).press('Enter');
    await page.getByText('Preset long is deleted', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('dialog', { name: 'Cancel the task?' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'confirm-light-1440');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.context().close();
  });
});
