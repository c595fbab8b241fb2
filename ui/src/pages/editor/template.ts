/** Documents that a new task begins with. */

export const EMPTY = `name: ""
model: {}
engine: {name: vllm}
search_space:
  parameters: {}
`;

/** Runs on any machine in seconds: nothing is launched. */
export const SIMULATED = `# The simulated engine needs no hardware: a task to learn with.
name: simulated
model: {id: llama-3.1-8b}
engine:
  name: simulated
  hardware: {gpu: a100-40g}
backend: {kind: virtual}
search_space:
  parameters:
    max-num-seqs: [16, 32, 64, 128, 256]
    max-num-batched-tokens: [1024, 2048, 4096, 8192]
    gpu-memory-utilization: [0.8, 0.85, 0.9, 0.95]
    kv-cache-dtype: [auto, fp8]
    enable-prefix-caching: bool
  constraints:
    - max-num-batched-tokens >= max-num-seqs
workload: {scenario: "N(480,240)/(300,150)"}
load:
  levels: [{concurrency: 8}, {concurrency: 48}]
  requests: 100
slos:
  - {metric: ttft, stat: p99, max_ms: 1500}
budget: {experiments: 40}
`;
