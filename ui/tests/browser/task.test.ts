import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Schemas, TaskDetail } from '@/api/types';
import { createTask, expectAccessible, open, type Stage, shot, simulatedTask, taskEnd, troublesOf } from './harness';
import { LOOKS } from './looks';

let stage: Stage;
let better: TaskDetail;
let same: TaskDetail;

/** Eight bits instead of sixteen: much faster, on every seed. */
const BETTER = `name: support-chat
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: a100-40g}}
backend: {kind: virtual}
search_space:
  parameters:
    max-num-seqs: [16, 32, 64, 128, 256]
    gpu-memory-utilization: [0.8, 0.85, 0.9, 0.95]
    quantization: [null, fp8]
workload: {scenario: "N(480,240)/(300,150)"}
load: {levels: [{concurrency: 8}, {concurrency: 48}], requests: 100}
slos: [{metric: ttft, stat: p99, max_ms: 1500}]
budget: {experiments: 24}
`;

/** Values that make no difference: the verdict has to say so. */
const SAME = `name: no-difference
model: {id: llama-3.1-8b}
engine: {name: simulated, hardware: {gpu: a100-40g}}
backend: {kind: virtual}
search_space: {parameters: {max-num-batched-tokens: [4096, 8192], enable-prefix-caching: bool}}
workload: {scenario: "N(480,240)/(300,150)"}
load: {levels: [{concurrency: 8}, {concurrency: 48}], requests: 60}
slos: [{metric: ttft, stat: p99, max_ms: 1500}]
budget: {experiments: 5}
`;

beforeAll(async () => {
  stage = await open();
  const run = async (document: string) => {
    const { id } = await createTask(stage.service, document);
    await stage.service.request('POST', `/api/tasks/${id}/start`);
    return taskEnd(stage.service, id);
  };
  better = await run(BETTER);
  same = await run(SAME);
});
afterAll(() => stage?.close());

const searchOf = (page: Page) => new URL(page.url()).searchParams;
const KINDS: Record<string, string> = {
  History: 'history',
  'Trade-off': 'pareto',
  'Throughput and latency': 'throughput_latency',
  'Latency distribution': 'latency',
  'Parallel coordinates': 'parallel_coordinates',
  Importance: 'importance',
  Slice: 'slice',
  'Interaction map': 'interaction',
  Timeline: 'timeline',
};

/** A plot, once it is drawn. */
async function plotOf(page: Page, title: string) {
  // Plots are drawn when they come near the window, so their place is gone to first.
  const kind = KINDS[title];
  await page.locator(`[data-plot=${kind}]`).scrollIntoViewIfNeeded();
  const plot = page.getByRole('region', { name: title, exact: true });
  await plot.getByRole('img', { name: `${title}.` }).waitFor();
  return plot;
}

describe('the verdict', () => {
  test('B3: says the gain with its interval, the margins, what changed, and what to run', async () => {
    const page = await stage.page(`/tasks/${better.id}`);
    await page.getByRole('heading', { level: 1, name: 'support-chat' }).waitFor();
    const verdict = page.getByRole('region', { name: 'Verdict' });
    await verdict
      .getByText(/% more output tokens per second/)
      .first()
      .waitFor();
    await verdict.getByRole('img', { name: /with 95 % confidence between/ }).waitFor();
    await verdict.getByRole('img', { name: /Best, ttft p99 ≤ 1500 ms: .*holds/ }).waitFor();
    const best = better.verdict?.recommended;
    await verdict.getByText(`configuration of experiment ${best}`, { exact: true }).waitFor();
    expect(await verdict.getByRole('row').filter({ hasText: 'max-num-seqs' }).count()).toBe(1);
    await verdict.locator('summary').filter({ hasText: 'Pairs' }).click();
    expect(
      await verdict
        .getByRole('row')
        .filter({ hasText: /^Pair \d/ })
        .count(),
    ).toBe(4);
    await expectAccessible(page);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('B3: says plainly that there is no significant difference', async () => {
    expect(same.verdict?.decision).toBe('no_significant_difference');
    const page = await stage.page(`/tasks/${same.id}`);
    const verdict = page.getByRole('region', { name: 'Verdict' });
    await verdict.getByText('No significant difference').waitFor();
    await verdict.getByText(/not proven/).waitFor();
    await verdict.getByText(/the baseline, experiment 1/).waitFor();
    await page.context().close();
  });

  test('B10: its command is copied as it is, and files for elsewhere are there', async () => {
    const page = await stage.page(`/tasks/${better.id}`);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const best = better.verdict?.recommended;
    const launch = await stage.service.request<Schemas['LaunchBody']>(
      'GET',
      `/api/tasks/${better.id}/experiments/${best}/launch`,
    );
    await page.getByRole('button', { name: 'Copy: Command' }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(launch.command);
    await page.getByRole('button', { name: 'Kubernetes' }).click();
    await page.getByRole('region', { name: 'Kubernetes' }).getByText('kind: Deployment').waitFor();
    await page.getByRole('button', { name: 'Compose', exact: true }).click();
    await page.getByRole('region', { name: 'Compose' }).getByText('services:').waitFor();

    await page.getByRole('button', { name: 'Report' }).click();
    const waits = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: 'As Markdown' }).click();
    const file = await waits;
    expect(file.suggestedFilename()).toBe('support-chat.md');
    await page.context().close();
  });
});

describe('plots and table', () => {
  test('a selection is shared by plots, table and the address', async () => {
    const page = await stage.page(`/tasks/${better.id}?tab=experiments`);
    const grid = page.getByRole('grid', { name: 'Experiments' });
    await grid.getByRole('checkbox', { name: 'Select experiment 3', exact: true }).click();
    await grid.getByRole('checkbox', { name: 'Select experiment 5', exact: true }).click();
    await expect.poll(() => searchOf(page).get('sel')).toBe('3,5');

    // Somebody else opens the address.
    const other = await stage.page(page.url().slice(stage.url.length));
    const bar = other.getByRole('region', { name: 'Selection' });
    await bar.getByText('2 selected').waitFor();
    await other.getByRole('tab', { name: 'Plots' }).click();
    const curves = await plotOf(other, 'Throughput and latency');
    await curves.getByRole('button', { name: 'As a table' }).click();
    await bar.getByRole('button', { name: 'Take experiment 3 out of the selection' }).click();
    await expect.poll(() => searchOf(other).get('sel')).toBe('5');
    await bar.getByRole('button', { name: 'Details' }).click();
    await other.getByRole('dialog', { name: 'Experiment 5' }).waitFor();
    await expectAccessible(other);
    await other.context().close();

    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Compare' }).click();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/compare');
    expect(searchOf(page).get('sel')).toBe('3,5');
    await page.context().close();
  });

  test('a brush along an axis selects what passes there', async () => {
    const page = await stage.page(`/tasks/${better.id}`);
    const plot = await plotOf(page, 'Parallel coordinates');
    const box = await plot.getByRole('img').boundingBox();
    if (!box) throw new Error('the plot has no place');
    // The first axis stands 48 px from the left, and goes from 54 px below the top to 24 px above the bottom.
    const x = box.x + 48;
    await page.mouse.move(x, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(x, box.y + 120, { steps: 5 });
    await page.mouse.move(x, box.y + box.height - 40, { steps: 10 });
    await page.mouse.up();
    await page.getByRole('region', { name: 'Selection' }).waitFor();
    await plot.getByRole('button', { name: 'Clear brushes' }).click();
    await expect.poll(() => page.getByRole('region', { name: 'Selection' }).count()).toBe(0);
    await page.context().close();
  });

  test('a box over marks selects what is in it', async () => {
    const page = await stage.page(`/tasks/${better.id}`);
    const plot = await plotOf(page, 'History');
    await plot.getByRole('button', { name: 'box' }).click();
    const box = await plot.getByRole('img').boundingBox();
    if (!box) throw new Error('the plot has no place');
    await page.mouse.move(box.x + 70, box.y + 35);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 120, { steps: 6 });
    await page.mouse.move(box.x + box.width - 40, box.y + box.height - 75, { steps: 8 });
    await page.mouse.up();
    await page.getByRole('region', { name: 'Selection' }).waitFor();
    await expect.poll(() => searchOf(page).get('sel')).not.toBeNull();
    await page.context().close();
  });

  test('arrow keys go over the marks, Enter selects, Escape lets all go', async () => {
    const page = await stage.page(`/tasks/${better.id}`);
    const plot = await plotOf(page, 'History');
    await plot.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
    await plot.getByRole('application').focus();
    await page.keyboard.press('Home');
    await plot.getByText(/^Experiment 1, 1 of \d+, Experiment: 1, /).waitFor({ state: 'attached' });
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await plot.getByText(/^Experiment 3, 3 of/).waitFor({ state: 'attached' });
    await page.keyboard.press('Enter');
    await expect.poll(() => searchOf(page).get('sel')).toBe('3');
    await plot.getByText(/^Experiment 3, .*, selected$/).waitFor({ state: 'attached' });
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await expect.poll(() => searchOf(page).get('sel')).toBe('3-4');
    await shot(page, 'task-keys-light-1440');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await expect.poll(() => searchOf(page).get('sel')).toBeNull();
    const trade = await plotOf(page, 'Trade-off');
    await trade.getByRole('application').focus();
    await page.keyboard.press('End');
    await trade.getByText(/^Experiment \d+, (\d+) of \1, .*ms.*tok\/s/).waitFor({ state: 'attached' });
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('what is known of the front is drawn, and said in its table', async () => {
    const page = await stage.page(`/tasks/${better.id}`);
    const plot = await plotOf(page, 'Trade-off');
    await plot.getByText(/uncertainty is known of \d+ of \d+ on the front/).waitFor();
    await shot(page, 'task-front-light-1440');
    await plot.getByRole('button', { name: 'As a table' }).click();
    await plot
      .getByText(/95 % interval, mean of \d runs of this configuration/)
      .first()
      .waitFor();
    await page.context().close();
  });

  test('a slice shows what the measurements let one expect, as a band or as marks', async () => {
    const page = await stage.page(`/tasks/${better.id}?slice=max-num-seqs`);
    const plot = await plotOf(page, 'Slice');
    const note = `expected with the other parameters as in experiment ${better.verdict?.best}`;
    await plot.getByText(note).waitFor();
    await plot.getByRole('img', { name: /5th to the 95th percentile of the trees/ }).waitFor();
    await expectAccessible(page);
    await plot.scrollIntoViewIfNeeded();
    await shot(page, 'task-slice-band-light-1440');
    await plot.getByRole('combobox', { name: 'x', exact: true }).selectOption('quantization');
    await page.waitForTimeout(300);
    await shot(page, 'task-slice-marks-light-1440');
    await plot.getByRole('button', { name: 'As a table' }).click();
    await expect.poll(() => plot.getByRole('row').filter({ hasText: 'expected' }).count()).toBeGreaterThan(0);
    await plot.getByRole('button', { name: 'As a plot' }).click();
    await plot.getByRole('combobox', { name: 'y', exact: true }).selectOption('ttft_p99_ms');
    await plot.getByText('means of what was tried, not causes').waitFor();
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('every plot has its table, and files', async () => {
    const page = await stage.page(`/tasks/${better.id}`);
    for (const title of Object.keys(KINDS)) {
      const plot = await plotOf(page, title);
      await plot.getByRole('button', { name: 'As a table' }).click();
      const table = plot.getByRole('grid', { name: title });
      await expect.poll(() => table.getByRole('row').count(), { message: title }).toBeGreaterThan(1);
      await plot.getByRole('button', { name: 'As a plot' }).click();
    }
    const history = await plotOf(page, 'History');
    for (const [item, ending] of [
      ['Save as CSV', 'csv'],
      ['Save as SVG', 'svg'],
      ['Save as PNG', 'png'],
    ] as const) {
      await history.getByRole('button', { name: 'Save' }).click();
      const waits = page.waitForEvent('download');
      await page.getByRole('menuitem', { name: item }).click();
      expect((await waits).suggestedFilename()).toBe(`support-chat-history.${ending}`);
    }
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('a filter holds for plots and table, and stands in the address', async () => {
    const page = await stage.page(`/tasks/${better.id}?tab=experiments`);
    const input = page.getByRole('combobox', { name: 'Add filter' }).or(page.getByLabel('Add filter'));
    await input.fill('max-num-seqs >= 128');
    await input.press('Enter');
    await page.getByRole('button', { name: 'Remove filter max-num-seqs>=128' }).waitFor();
    expect(searchOf(page).get('filter')).toBe('max-num-seqs>=128');
    const told = page.getByRole('region', { name: 'Filter' }).getByRole('status');
    const [shown = 0] = ((await told.textContent()) ?? '').match(/\d+/g)?.map(Number) ?? [];
    const { items } = await stage.service.request<{ items: { configuration: Record<string, number> }[] }>(
      'GET',
      `/api/tasks/${better.id}/experiments?limit=500`,
    );
    expect(shown).toBe(items.filter(({ configuration }) => (configuration['max-num-seqs'] ?? 0) >= 128).length);
    await input.fill('colour = red');
    await input.press('Enter');
    await page.getByText('"colour = red" is no filter').waitFor();
    await page.context().close();
  });

  test('the best and the baseline stay in sight', async () => {
    const page = await stage.page(`/tasks/${better.id}?tab=experiments&sort=-number`, { height: 700 });
    const grid = page.getByRole('grid', { name: 'Experiments' });
    await grid.getByRole('row').nth(5).waitFor();
    await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    const best = String(better.verdict?.best);
    for (const name of [best, '1']) {
      const row = grid.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
      const [place, around] = [await row.boundingBox(), await grid.boundingBox()];
      expect((place?.y ?? 0) - (around?.y ?? 0), `experiment ${name}`).toBeLessThan(120);
    }
    await page.context().close();
  });
});

describe('what it rests on', () => {
  test('events are told, and R10.2: defaults that were filled in are shown', async () => {
    const page = await stage.page(`/tasks/${better.id}?tab=events`);
    const events = page.getByRole('grid', { name: 'Events' });
    await events.getByText(/Ended: completed/).waitFor();
    await page.getByLabel('Find in events').fill('#3 ');
    await events.getByText('Ended: success').first().waitFor();
    await expectAccessible(page);

    await page.getByRole('tab', { name: 'Configuration' }).click();
    await page.getByRole('tab', { name: 'Defaults that were filled in' }).click();
    await page.getByRole('rowheader', { name: 'verification.confidence' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('tab', { name: 'Method' }).click();
    await page.getByText('How it was measured').waitFor();
    await expectAccessible(page);
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('revisions are compared field by field', async () => {
    const document = simulatedTask({ name: 'edited' });
    const { id } = await createTask(stage.service, document);
    const changed = document.replace('experiments: 12', 'experiments: 13');
    const next = await stage.service.request<TaskDetail>('PUT', `/api/tasks/${id}`, changed);
    const page = await stage.page(`/tasks/${next.id}?tab=configuration`);
    const row = page.getByRole('row').filter({ hasText: 'budget.experiments' });
    await row.waitFor();
    expect(await row.getByRole('cell').allTextContents()).toEqual(['12', '13']);
    await page.context().close();
  });
});

describe('a task that runs', () => {
  test('is checked, started, and watched to its verdict without loading anew', async () => {
    const { id } = await createTask(stage.service, simulatedTask({ name: 'watched', experiments: 30 }));
    const page = await stage.page(`/tasks/${id}`);
    await page.getByRole('region', { name: 'Before it starts' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'task-pending-light-1440');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('region', { name: 'Verdict' }).waitFor({ timeout: 90_000 });
    const task = await stage.service.request<TaskDetail>('GET', `/api/tasks/${id}`);
    await page
      .getByText(task.verdict?.decision === 'better' ? /% more output/ : /./)
      .first()
      .waitFor();
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('is deleted so that it can be taken back', async () => {
    const { id } = await createTask(stage.service, simulatedTask({ name: 'dropped' }));
    const page = await stage.page(`/tasks/${id}`);
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page
      .getByText('Task dropped is deleted')
      .or(page.getByText(/dropped is deleted/))
      .first()
      .waitFor();
    await expect.poll(() => new URL(page.url()).pathname).toBe('/tasks');
    await page.getByRole('button', { name: 'Undo' }).click();
    expect((await stage.service.request<TaskDetail>('GET', `/api/tasks/${id}`)).name).toBe('dropped');
    await page.context().close();
  });
});

describe('how it looks', () => {
  test.each(LOOKS)('%s at %d px: accessible, nothing cut off', async (theme, width) => {
    const page = await stage.page(`/tasks/${better.id}`, { theme, width });
    await page
      .getByText(/% more output tokens per second/)
      .first()
      .waitFor();
    for (const title of ['History', 'Importance', 'Timeline']) await plotOf(page, title);
    await expectAccessible(page);
    await shot(page, `task-${theme}-${width}`, true);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide, 'nothing scrolls sideways').toBe(false);
    await page.getByRole('tab', { name: 'Experiments' }).click();
    await page.getByRole('grid', { name: 'Experiments' }).getByRole('row').nth(3).waitFor();
    await expectAccessible(page);
    await shot(page, `task-experiments-${theme}-${width}`);
    await page.context().close();
  });
});
