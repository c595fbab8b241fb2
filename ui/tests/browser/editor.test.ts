import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TaskDetail } from '../../src/api/types';
import {
  createTask,
  expectAccessible,
  open,
  type Stage,
  shot,
  simulatedTask,
  taskEnd,
  troublesOf,
  until,
} from './harness';
import { everyLook } from './looks';

let stage: Stage;
beforeAll(async () => {
  stage = await open();
});
afterAll(() => stage?.close());

/** The document as this browser keeps it: exactly what is in the editor. */
async function textOf(page: Page, has: string | RegExp): Promise<string> {
  return until(`the text with ${has}`, async () => {
    const texts = await page.evaluate(() =>
      Object.keys(localStorage)
        .filter((key) => key.startsWith('autotuner.document.'))
        .map((key) => (JSON.parse(localStorage.getItem(key) ?? '{}') as { text: string }).text),
    );
    return texts.find((text) => (typeof has === 'string' ? text.includes(has) : has.test(text)));
  });
}

async function drop(page: Page, name: string, text: string) {
  await page.getByRole('form').waitFor();
  await page.evaluate(
    ([name, text]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text ?? ''], name ?? ''));
      const form = document.querySelector('form');
      for (const type of ['dragenter', 'dragover', 'drop']) {
        form?.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      }
    },
    [name, text],
  );
}

const step = (page: Page, name: string) =>
  page
    .getByRole('navigation', { name: 'Parts of the task' })
    .getByRole('button', { name: new RegExp(`^${name}`) })
    .click();
const valid = (page: Page) =>
  page
    .getByRole('status')
    .filter({ hasText: /^Valid/ })
    .waitFor();

/** A file as the predecessor's page wrote them, with a slip in the name of the engine. */
const PREDECESSOR = `task_name: qwen-tune-1
description: throughput under chat SLO
deployment_mode: docker
model: { id_or_path: Qwen/Qwen2.5-7B-Instruct, namespace: autotuner }
base_runtime: sglng
runtime_image_tag: v0.5.2-cu126
parameters:
  mem-fraction-static: [0.85, 0.9]
  schedule-policy: [fcfs, lpm]
quant_config: { kvcache_dtype: [auto, fp8_e5m2] }
parallel_config: {}
optimization: { strategy: bayesian, objective: maximize_throughput, max_iterations: 5, timeout_per_iteration: 1800 }
slo:
  ttft: { threshold: 1.0, weight: 2.0 }
benchmark:
  task: text-to-text
  model_name: Qwen2.5-7B-Instruct
  traffic_scenarios: ["D(512,128)"]
  num_concurrency: [1, 8]
  max_time_per_iteration: 5
  max_requests_per_iteration: 50
`;

describe('a person’s path', () => {
  // R0.6, W66; the path goes on in the tests of the task's page.
  test('drop a file of the predecessor, fix what validation shows, save and start on the simulated engine', async () => {
    const page = await stage.page('/tasks/new');
    await drop(page, 'old.yaml', PREDECESSOR);
    await page.getByRole('heading', { name: 'This is a task file of the predecessor' }).waitFor();
    await page.getByText('deployment mode docker arrives with a later version').first().waitFor();
    await expectAccessible(page);
    await shot(page, 'editor-import-light-1440');
    await page.getByRole('button', { name: 'Use sglang' }).click();
    await page.getByLabel('Where it shall run').selectOption('As processes of this machine');
    // It was changed since it was dropped, so the person says when it is translated.
    const translate = page.getByRole('button', { name: 'Translate' });
    await until('the translation', () => translate.isEnabled());
    await translate.click();
    await page.getByText('The file of the predecessor is translated').waitFor();
    await page.getByText('5 minutes become duration_s: 300 per level').first().waitFor();
    await valid(page);
    await shot(page, 'editor-translated-light-1440');

    await page.getByRole('combobox', { name: 'Engine' }).selectOption('simulated');
    await page.getByLabel('Simulated GPU').fill('a100-40g');
    await page.getByLabel('Model on the hub').fill('llama-3.1-8b');
    await page.getByLabel('Served name').fill('');
    await page.getByLabel('Where it runs').selectOption('Simulated, in virtual time');
    const text = await textOf(page, 'kind: virtual');
    expect(text).toContain('name: qwen-tune-1');
    expect(text).toContain('schedule-policy: [fcfs, lpm]');
    await valid(page);
    await step(page, 'Review');
    await page.getByText('none is known to be impossible').waitFor();
    await page.getByRole('button', { name: 'Save and start' }).click();
    await page.waitForURL(/\/tasks\/[0-9a-f-]{36}$/);
    const id = page.url().split('/').at(-1) ?? '';
    const done = await taskEnd(stage.service, id);
    expect(done.status).toBe('completed');
    expect(await page.evaluate(() => localStorage.getItem('autotuner.document.new')), 'no draft is left').toBeNull();
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('a file that needs no mending is translated at once, and undo brings it back', async () => {
    const page = await stage.page('/tasks/new');
    await drop(page, 'old.yaml', PREDECESSOR.replace('docker', 'local').replace('sglng', 'sglang'));
    await page.getByText('The file of the predecessor is translated').waitFor();
    expect(await textOf(page, 'search_space:')).toContain('id: Qwen/Qwen2.5-7B-Instruct');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'This is a task file of the predecessor' }).waitFor();
    expect(await textOf(page, 'base_runtime: sglang')).toContain('num_concurrency: [1, 8]');
    await page.context().close();
  });
});

describe('form and text are the same document', () => {
  const SOURCE = `# why we do this
name: round-trip
model: {id: llama-3.1-8b}   # the model
engine: {name: simulated, hardware: {gpu: a100-40g}}
backend: {kind: virtual}
search_space:
  parameters:
    # how many at once
    max-num-seqs: [16, 32]   # ordered
    gpu-memory-utilization: {low: 0.8, high: 0.95, step: 0.05}
workload: {scenario: "N(480,240)/(300,150)", extra_body: {top_p: 0.9}}
load: {levels: [{concurrency: 8}], requests: 100}
sampler: {kind: bayesian, initial: 3, candidates: 12}
seed: 42
budget: {experiments: 4}
verification: {blocks: 0}
`;

  // W71: what the form does not show was lost when a task was edited.
  test('an edit changes its line and loses nothing', async () => {
    const { id } = await createTask(stage.service, SOURCE);
    const page = await stage.page(`/tasks/${id}/edit`);
    await page.getByText('Saving makes revision 2').waitFor();
    expect(await page.getByRole('button', { name: 'Save revision' }).isDisabled()).toBe(true);
    await page.getByLabel('What it is for').fill('4 of them');
    await step(page, 'Search space');
    await page.getByRole('button', { name: /^max-num-seqs/ }).click();
    const add = page.getByLabel('Add a value: Values of max-num-seqs');
    await add.fill('64');
    await add.press('Enter');
    await step(page, 'Load');
    await page.getByLabel('Requests per level').fill('60');
    await valid(page);
    await page.getByRole('button', { name: 'Save revision' }).click();
    await page.waitForURL((url) => !url.pathname.endsWith('/edit'));
    const stored = await stage.service.request<TaskDetail>('GET', `/api/tasks/${page.url().split('/').at(-1)}`);
    expect(stored.source).toBe(
      SOURCE.replace('name: round-trip\n', 'name: round-trip\ndescription: 4 of them\n')
        .replace('[16, 32]', '[16, 32, 64]')
        .replace('requests: 100', 'requests: 60'),
    );
    expect(stored.revision).toBe(2);
    await page.context().close();
  });

  // W67: "4bit" became 4, and values were cut at their commas.
  test('values keep their kinds: text stays text, JSON is possible, null leaves a flag out', async () => {
    const page = await stage.page('/tasks/new?step=space');
    const find = page.getByRole('combobox', { name: 'Add a parameter' });
    await find.fill('quantization');
    await page.getByRole('option', { name: /^quantization text/ }).click();
    await page.getByRole('button', { name: /^quantization/ }).waitFor();
    const add = page.getByLabel('Add a value: Values of quantization');
    for (const value of ['4bit', '{"a": [1, 2]}', '"4"', 'null', '1.0', '7,8']) {
      await add.fill(value);
      await add.press('Enter');
    }
    const text = await textOf(page, '7, 8]');
    expect(text).toContain(`    quantization: [4bit, '{"a": [1, 2]}', "4", null, 1.0, 7, 8]`);
    await page.getByRole('button', { name: 'Change text 4bit' }).click();
    await page.getByLabel('Value', { exact: true }).fill('8bit');
    await page.getByLabel('Value', { exact: true }).press('Enter');
    expect(await textOf(page, '8bit')).not.toContain('4bit');
    await page.getByRole('button', { name: 'Remove 8bit' }).click();
    expect(await textOf(page, /quantization: \[(?!.*bit)/)).toContain('null, 1.0, 7, 8]');
    await expectAccessible(page);
    await page.context().close();
  });

  test('a text that cannot be read stops the form, says where, and loses nothing', async () => {
    const page = await stage.page('/tasks/new');
    const editor = page.locator('.cm-content');
    await editor.click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('oops: a: b');
    await page.getByRole('alert').filter({ hasText: 'The form waits' }).waitFor();
    expect(await page.getByLabel('Name', { exact: true }).isDisabled()).toBe(true);
    expect(await textOf(page, 'oops: a: b')).toContain('search_space:');
    await expectAccessible(page);
    await shot(page, 'editor-broken-light-1440');
    await page.getByRole('button', { name: 'Undo' }).click();
    await until('the form', () => page.getByLabel('Name', { exact: true }).isEnabled());
    await page.getByLabel('Name', { exact: true }).fill('mine');
    await page.locator('.cm-line', { hasText: 'name: mine' }).waitFor();
    await page.context().close();
  });

  test('the text completes, explains and shows findings with their places', async () => {
    const page = await stage.page('/tasks/new?view=yaml');
    const editor = page.locator('.cm-content');
    await editor.click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('bud');
    await page.locator('.cm-tooltip-autocomplete li', { hasText: 'budget' }).first().waitFor();
    // It takes no key at once, so that nobody is taken by surprise.
    await page.waitForTimeout(200);
    await page.keyboard.press('Enter');
    await page.keyboard.type(' {experiments: 0}');
    await page.locator('.cm-lint-marker-error').nth(2).waitFor();
    await page.getByRole('region', { name: 'Findings' }).getByText('budget.experiments').waitFor();
    await page.getByText('engine', { exact: true }).first().hover();
    await page.locator('.cm-tooltip-hover', { hasText: 'What serves it.' }).waitFor();
    await expectAccessible(page);
    await shot(page, 'editor-yaml-light-1440');
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });
});

describe('nothing is lost', () => {
  test('a draft comes back after a reload, leaving asks, and the draft can be discarded', async () => {
    const page = await stage.page('/tasks/new');
    await page.getByLabel('Name', { exact: true }).fill('half-done');
    await textOf(page, 'half-done');
    await page.getByRole('link', { name: 'Workers' }).click();
    await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('link', { name: 'Workers' }).click();
    await page.getByRole('button', { name: 'Leave', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Workers' }).waitFor();
    await page.goto(`${stage.url}/tasks/new`);
    await page.getByText('Your draft that was not saved is here again').waitFor();
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('half-done');
    await page.getByRole('button', { name: 'Discard the draft' }).click();
    await until('the empty name', async () => (await page.getByLabel('Name', { exact: true }).inputValue()) === '');
    await page.context().close();
  });

  test('a name that is taken is said beside the name, before and when it is saved', async () => {
    await createTask(stage.service, simulatedTask({ name: 'taken' }));
    const page = await stage.page('/tasks/new');
    await drop(page, 'task.yaml', simulatedTask({ name: 'taken' }));
    await valid(page);
    await page.getByText('Another task has this name').waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: 'belongs to task' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('free');
    await until('the hint to go', async () => (await page.getByText('Another task has this name').count()) === 0);
    await valid(page);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.waitForURL(/\/tasks\/[0-9a-f-]{36}$/);
    await page.context().close();
  });

  // W68: choosing a preset wiped what was entered by hand.
  test('presets are merged beside what is there, with what is not followed', async () => {
    const page = await stage.page('/tasks/new');
    await drop(page, 'task.yaml', simulatedTask({ name: 'with-presets' }));
    await step(page, 'Presets');
    for (const name of ['simulated-performance', 'simulated-quant-dynamic-fp8']) {
      await page.getByRole('checkbox', { name: new RegExp(name) }).click();
    }
    await page.getByText('the task’s own values count').first().waitFor();
    await page.getByLabel('How they become one').selectOption('The last one wins');
    const text = await textOf(page, 'merge: last_wins');
    expect(text).toContain('presets: [simulated-performance, simulated-quant-dynamic-fp8]');
    expect(text).toContain('max-num-seqs: [16, 32, 64, 128, 256]');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Copy into the task' }).click();
    const copied = await textOf(page, /quantization: \[/);
    expect(copied).not.toContain('presets:');
    expect(copied).toContain('max-num-seqs: [16, 32, 64, 128, 256]');
    await page.context().close();
  });

  test('quantisation and parallelism in one language become the engine’s flags', async () => {
    const page = await stage.page('/tasks/new?step=precision');
    const choose = (group: string, value: string) =>
      page.getByRole('group', { name: group, exact: true }).getByRole('button', { name: value, exact: true }).click();
    await choose('KV cache', 'auto');
    await choose('KV cache', 'fp8');
    await choose('Tensor parallel', '2');
    await page.getByText('tensor-parallel-size: 2').waitFor();
    await page.getByRole('button', { name: 'Write into the task' }).click();
    const text = await textOf(page, 'tensor-parallel-size');
    expect(text).toContain('kv-cache-dtype: [null, fp8]');
    await expectAccessible(page);
    await page.context().close();
  });

  // B5: what cannot run is said before anything is started.
  test('command lines are shown exactly, with what cannot run and why', async () => {
    const page = await stage.page('/tasks/new?step=review');
    await drop(
      page,
      'tight.yaml',
      `name: tight
model: {id: organisation/model}
engine: {name: vllm}
search_space: {parameters: {max-model-len: [1024, 8192], max-num-seqs: [8, 16]}}
workload: {scenario: "D(4000,100)"}
`,
    );
    await page.getByText('2 of 4 combinations cannot run').waitFor();
    await page.getByText(/vllm serve organisation\/model .*--max-model-len 8192 --max-num-seqs 16/).waitFor();
    await page.getByRole('checkbox', { name: 'Only those that cannot run' }).click();
    expect(await page.getByText('cannot run', { exact: true }).count()).toBe(2);
    await page.getByText('4000').first().waitFor();
    await expectAccessible(page);
    await shot(page, 'editor-infeasible-light-1440', true);
    await page.context().close();
  });

  test('200 parameters are found by typing', async () => {
    const many = Array.from({ length: 200 }, (_, n) => `    flag-${n}: [${n}, ${n + 1}]`).join('\n');
    const page = await stage.page('/tasks/new?step=space');
    await drop(
      page,
      'many.yaml',
      `name: many\nmodel: {id: m}\nengine: {name: vllm}\nsearch_space:\n  parameters:\n${many}\n`,
    );
    await page.getByLabel('Find a parameter of this task').fill('flag-150');
    await page.getByRole('button', { name: /^flag-150/ }).click();
    const add = page.getByLabel('Add a value: Values of flag-150');
    const before = Date.now();
    await add.fill('999');
    await add.press('Enter');
    await page.getByRole('button', { name: 'Change number 999' }).waitFor();
    expect(Date.now() - before, 'a change among 200 parameters is quick').toBeLessThan(1000);
    expect(await textOf(page, '999')).toContain('flag-150: [150, 151, 999]');
    await page.context().close();
  });
});

describe('the look', () => {
  test('of every part, accessible', async () => {
    const { id } = await createTask(stage.service, simulatedTask({ name: 'looked-at' }));
    const page = await stage.page(`/tasks/${id}/edit`);
    for (const name of [
      'Basics',
      'Search space',
      'Presets',
      'Precision and GPUs',
      'Workload',
      'Load',
      'Goals',
      'Budget',
      'Review',
    ]) {
      await step(page, name);
      await page.locator('nav [aria-current="step"]', { hasText: name }).waitFor();
      await page.locator('.cm-content').waitFor();
      await expectAccessible(page);
      await shot(page, `editor-${name.toLowerCase().replaceAll(' ', '-')}-light-1440`, true);
    }
    expect(troublesOf(page)).toEqual([]);
    await page.context().close();
  });

  test('in both themes, wide and narrow', async () => {
    const { id } = await createTask(stage.service, simulatedTask({ name: 'looked-at-again' }));
    await everyLook(stage, `/tasks/${id}/edit?step=space`, 'editor', (page) =>
      page.getByText('max-num-batched-tokens').first().waitFor(),
    );
  });
});
