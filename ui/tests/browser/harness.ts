/**
 * A browser test has a service of its own, the page, and chromium:
 *
 *     const stage = await open();           // afterAll(() => stage.close())
 *     const page = await stage.page('/tasks', { theme: 'dark', width: 390 });
 *     await expectAccessible(page);
 *
 * The page is built beforehand (`npm run build`; `AUTOTUNER_UI_DIST` names another folder than `dist`). With
 * `AUTOTUNER_PAGE=embedded` the service serves the one in its binary.
 */
import { mkdir } from 'node:fs/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type PreviewServer, preview } from 'vite';
import { freePort, Service, until } from './service';

export { createTask, runTask, simulatedTask, taskEnd } from './tasks';
export { until };

export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The policy that the service sends with the page; the preview server must be as strict. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface PageOptions {
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
  timezone?: string;
  /** Another person's browser: nothing is shared with other pages. Default true. */
  context?: BrowserContext;
}

export interface Stage {
  service: Service;
  /** Where the page is. */
  url: string;
  browser: Browser;
  page: (path?: string, options?: PageOptions) => Promise<Page>;
  close: () => Promise<void>;
}

/** Starts everything. `options` are those of `autotuner serve`. */
export async function open(options: string[] = [], before?: (service: Service) => Promise<unknown>): Promise<Stage> {
  const service = await Service.start(options, before);
  const server = process.env.AUTOTUNER_PAGE === 'embedded' ? null : await previewOf(service.url);
  const url = server?.resolvedUrls?.local[0]?.replace(/\/$/, '') ?? service.url;
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  const close = async () => {
    await browser.close();
    await server?.close();
    await service.stop();
  };
  return { service, url, browser, page: (path, wanted) => openPage(browser, url + (path ?? '/'), wanted), close };
}

async function previewOf(target: string): Promise<PreviewServer> {
  process.env.AUTOTUNER_URL = target;
  const port = await freePort();
  return preview({
    root: new URL('../..', import.meta.url).pathname,
    logLevel: 'error',
    build: { outDir: process.env.AUTOTUNER_UI_DIST ?? 'dist' },
    preview: { port, host: '127.0.0.1', strictPort: true, headers: { 'content-security-policy': POLICY } },
  });
}

/** What went wrong in a page's scripts: errors, and what the policy refused. */
const troubles = new WeakMap<Page, string[]>();

export function troublesOf(page: Page): string[] {
  return troubles.get(page) ?? [];
}

async function openPage(browser: Browser, address: string, options: PageOptions = {}): Promise<Page> {
  const { theme = 'light', width = 1440, height = 900, timezone, context } = options;
  const made =
    context ??
    (await browser.newContext({
      colorScheme: theme,
      viewport: { width, height },
      timezoneId: timezone,
      reducedMotion: 'reduce',
    }));
  const page = await made.newPage();
  const seen: string[] = [];
  troubles.set(page, seen);
  page.on('pageerror', (error) => seen.push(error.message));
  page.on('console', (message) => {
    const text = message.text();
    // An answer such as 404 is no trouble of the page's.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) seen.push(text);
  });
  await page.goto(address);
  await page.locator('main').waitFor();
  return page;
}

/** Fails on serious findings of axe, with what and where they are. */
export async function expectAccessible(page: Page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  if (serious.length === 0) return;
  const told = serious.map(({ id, help, nodes }) => {
    const places = nodes.slice(0, 5).map((node) => `    ${node.html.slice(0, 200)}\n    ${node.failureSummary ?? ''}`);
    return `${id}: ${help}\n${places.join('\n')}`;
  });
  throw new Error(`axe: ${serious.length} serious\n${told.join('\n')}`);
}

/** Keeps a picture in `screenshots/`, which is not committed. */
export async function shot(page: Page, name: string, fullPage = false) {
  const folder = new URL('../../screenshots/', import.meta.url).pathname;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}${name}.png`, fullPage });
}
