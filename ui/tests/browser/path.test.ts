import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExperimentItem, Schemas, TaskDetail } from '../../src/api/types';
import { begin, card, cardIn, log } from './chat';
import { expectAccessible, open, type Stage, shot, troublesOf, until } from './harness';
import { ScriptedModel } from './model';

let model: ScriptedModel;
let stage: Stage;
beforeAll(async () => {
  model = await ScriptedModel.start();
  Object.assign(process.env, model.variables());
  stage = await open();
});
afterAll(async () => {
  await stage?.close();
  await model?.stop();
});

/** A file of the predecessor with a slip in the name of the engine; a tenth of the memory does not hold the model. */
const PREDECESSOR = `task_name: qwen-tune-1
description: throughput under chat SLO
deployment_mode: docker
model: { id_or_path: Qwen/Qwen2.5-7B-Instruct, namespace: autotuner }
base_runtime: sglng
parameters:
  mem-fraction-static: [0.1, 0.85]
quant_config: { gemm_dtype: [auto, fp8] }
optimization: { strategy: grid_search, objective: maximize_throughput, max_iterations: 5, timeout_per_iteration: 600 }
slo:
  ttft: { threshold: 5.0, weight: 2.0 }
benchmark:
  task: text-to-text
  model_name: Qwen2.5-7B-Instruct
  traffic_scenarios: ["D(256,64)"]
  num_concurrency: [8]
  max_time_per_iteration: 1
  max_requests_per_iteration: 24
`;

async function drop(page: Page, name: string, text: string) {
  await page.evaluate(
    ([name, text]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text ?? ''], name ?? '', { type: 'application/yaml' }));
      for (const type of ['dragenter', 'dragover', 'drop'])
        window.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    },
    [name, text],
  );
}

const navigation = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click();

/** Keeps every state of the blocks that the page shows from now on. */
function watchBlocks(page: Page) {
  return page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(window, { seenBlocks: seen });
    new MutationObserver(() => {
      const label = document.querySelector('[role="img"][aria-label^="Experiments: "]')?.getAttribute('aria-label');
      if (label && label !== seen.at(-1)) seen.push(label);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-label'] });
  });
}

test('a person’s path: from a file of the predecessor to the command, and the agent’s word on what failed', async () => {
  const page = await stage.page('/tasks');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  // What would not survive a reload.
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));

  // Dropped onto the list, opened in the editor.
  await page.getByText('There are no tasks yet').waitFor();
  await drop(page, 'old.yaml', PREDECESSOR);
  await page.waitForURL('**/tasks/new');
  await page.getByRole('heading', { name: 'This is a task file of the predecessor' }).waitFor();

  // What validation shows is fixed where it stands.
  await page.getByText('deployment mode docker arrives with a later version').first().waitFor();
  await page.getByRole('button', { name: 'Use sglang' }).click();
  await page.getByLabel('Where it shall run').selectOption('As processes of this machine');
  const translate = page.getByRole('button', { name: 'Translate' });
  await until('the translation', () => translate.isEnabled());
  await translate.click();
  await page.getByText('The file of the predecessor is translated').waitFor();

  // On the simulated engine, as real processes: one sees them run.
  await page.getByRole('combobox', { name: 'Engine' }).selectOption('simulated');
  await page.getByLabel('Simulated GPU').fill('a100-40g');
  await page.getByLabel('Speed of time').fill('30');
  await page.getByLabel('Model on the hub').fill('llama-3.1-8b');
  await page.getByLabel('Served name').fill('');
  await page
    .getByRole('status')
    .filter({ hasText: /^Valid/ })
    .waitFor();
  await page
    .getByRole('navigation', { name: 'Parts of the task' })
    .getByRole('button', { name: /^Review/ })
    .click();
  await watchBlocks(page);
  await page.getByRole('button', { name: 'Save and start' }).click();

  // It is watched until its end; its blocks change by themselves.
  await page.waitForURL(/\/tasks\/[0-9a-f-]{36}$/);
  const id = page.url().split('/').at(-1) ?? '';
  const progress = page.getByRole('img', { name: /^Experiments: / });
  await progress.waitFor();
  await shot(page, 'path-running-light-1440');
  const verdict = page.getByRole('region', { name: 'Verdict' });
  await verdict.waitFor({ timeout: 90_000 });
  const seen = await page.evaluate(() => (window as unknown as { seenBlocks: string[] }).seenBlocks);
  expect(seen.length, seen.join('\n')).toBeGreaterThanOrEqual(4);
  expect(seen.some((label) => label.includes('infeasible'))).toBe(true);

  // The verdict, and the command that it recommends.
  const done = await stage.service.request<TaskDetail>('GET', `/api/tasks/${id}`);
  expect([done.name, done.status]).toEqual(['qwen-tune-1', 'completed']);
  const number = done.verdict?.recommended;
  await verdict
    .getByText(/% more output tokens per second/)
    .first()
    .waitFor();
  await verdict.getByText(`configuration of experiment ${number}`, { exact: true }).waitFor();
  const launch = await stage.service.request<Schemas['LaunchBody']>(
    'GET',
    `/api/tasks/${id}/experiments/${number}/launch`,
  );
  expect(launch.command).toMatch(/sim-engine .*--quantization/);
  await page.getByRole('button', { name: 'Copy: Command' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(launch.command?.trimEnd());
  await shot(page, 'path-verdict-light-1440');

  // Why did it fail? The agent looks, and says.
  const { items } = await stage.service.request<{ items: ExperimentItem[] }>(
    'GET',
    `/api/tasks/${id}/experiments?fields=number,outcome,result,configuration`,
  );
  const third = items.find((item) => item.number === 3);
  expect(third?.outcome).toBe('infeasible');
  expect(third?.configuration).toMatchObject({ 'mem-fraction-static': 0.1 });
  const answer = 'Experiment 3 ran out of memory while it loaded the model: a tenth of the GPU does not hold it.';
  model.script('why did experiment 3', [
    {
      text: 'I look at it.',
      calls: [{ name: 'get_experiment_details', args: { task_id: 'qwen-tune-1', experiment_id: 3 } }],
    },
    { text: answer },
  ]);
  await navigation(page, 'Chat');
  await begin(page, 'why did experiment 3 of qwen-tune-1 fail?');
  await log(page).getByText(answer).waitFor();
  await cardIn(page, 'get_experiment_details', 'executed').waitFor();
  const call = card(page, 'get_experiment_details');
  await call.getByRole('button').first().click();
  await call.getByText('oom_load').first().waitFor();
  const told = model.asked.at(-1)?.messages.find((message) => message.role === 'tool');
  expect(told?.content, 'the model was told what the tool found').toContain('oom_load');
  await expectAccessible(page);
  await shot(page, 'path-agent-light-1440');

  expect(await page.evaluate(() => 'sameDocument' in window), 'nothing was loaded again').toBe(true);
  expect(troublesOf(page)).toEqual([]);
  await page.context().close();
});
