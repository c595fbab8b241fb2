import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, open, type Stage, shot, troublesOf } from './harness';
import { LOOKS } from './looks';

let stage: Stage;
beforeAll(async () => {
  stage = await open();
});
afterAll(() => stage?.close());

describe('the shell', () => {
  test.each(LOOKS)('opens, is live and accessible, %s at %d px', async (theme, width) => {
    const page = await stage.page('/', { theme, width });
    await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await expectAccessible(page);
    await shot(page, `shell-${theme}-${width}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide, 'nothing is cut off or scrolls sideways').toBe(false);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('is walked with the keyboard alone', async () => {
    const page = await stage.page('/');
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to content' });
    await expect.poll(() => skip.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');

    await page.getByRole('link', { name: 'Workers' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Workers' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/workers');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');

    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to a page or task' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'palette-light-1440');
    await page.keyboard.type('audi');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
    expect(await page.title()).toBe('Audit · Inference Autotuner');
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('has a menu on narrow screens', async () => {
    const page = await stage.page('/', { width: 390 });
    await page.getByRole('button', { name: 'Open navigation' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'menu-light-390');
    await page.getByRole('link', { name: 'Presets' }).click();
    await page.getByRole('heading', { level: 1, name: 'Presets' }).waitFor();
    await page.context().close();
  });

  test('keeps the theme that was chosen', async () => {
    const page = await stage.page('/');
    await page.getByRole('button', { name: 'Theme' }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    await page.reload();
    await page.locator('main').waitFor();
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
    await page.context().close();
  });

  test('says where nothing is', async () => {
    const page = await stage.page('/nowhere');
    await page.getByText('There is nothing here').waitFor();
    await expectAccessible(page);
    await page.context().close();
  });

  test('shows that the server is gone, and comes back', async () => {
    const page = await stage.page('/');
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    await stage.service.kill();
    await page.getByRole('alert').filter({ hasText: 'has not been reached' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'offline-light-1440');
    await stage.service.run();
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor({ timeout: 30_000 });
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.context().close();
  });
});
