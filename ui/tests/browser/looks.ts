import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { expectAccessible, type Stage, shot, troublesOf } from './harness';

const ALL = [
  ['light', 1440],
  ['dark', 1440],
  ['light', 390],
  ['dark', 390],
] as const;

/** Both themes, wide and narrow. CI looks at one of each; `npm run browser` at all. */
export const LOOKS = process.env.CI ? ([ALL[0], ALL[3]] as const) : ALL;

/** Opens an address in both themes, wide and narrow: accessible, nothing scrolls sideways, no script errs; with pictures. */
export async function everyLook(stage: Stage, path: string, name: string, ready: (page: Page) => Promise<unknown>) {
  for (const [theme, width] of LOOKS) {
    const page = await stage.page(path, { theme, width });
    await ready(page);
    await expectAccessible(page);
    await shot(page, `${name}-${theme}-${width}`, true);
    expect(await isTooWide(page), `${name} ${theme} ${width}`).toBe(false);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  }
}

export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
}

/** A browser that is signed in with a token in each of its tabs. */
export async function signedIn(stage: Stage, token: string): Promise<BrowserContext> {
  const context = await stage.browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  await context.addInitScript((text) => sessionStorage.setItem('autotuner.token', text), token);
  return context;
}
