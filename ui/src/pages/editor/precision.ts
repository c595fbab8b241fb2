import type { Validation } from '@/api/documents';
import { validateTask } from '@/api/documents';
import type { Finding } from '@/api/error';
import { isRecord } from '@/document/path';

/** Settings that every engine has under a name of its own, in one language: that of the predecessor's files, which the server translates. */
export const PRECISION = {
  gemm_dtype: ['auto', 'float16', 'bfloat16', 'float32', 'fp8', 'int8'],
  kvcache_dtype: ['auto', 'fp16', 'bfloat16', 'fp8', 'fp8_e5m2', 'fp8_e4m3', 'int8', 'int4'],
  attention_dtype: ['auto', 'float16', 'bfloat16', 'fp8', 'fp8_e5m2', 'fp8_e4m3', 'fp8_block'],
  moe_dtype: ['auto', 'float16', 'bfloat16', 'fp8', 'w4afp8', 'mxfp4', 'int8'],
} as const;
export const PARALLEL = ['tp', 'pp', 'dp', 'cp', 'dcp', 'moe_tp', 'moe_ep', 'moe_dense_tp'] as const;

export type PrecisionField = keyof typeof PRECISION;
export type ParallelField = (typeof PARALLEL)[number];

export interface Unified {
  quant: Partial<Record<PrecisionField, string[]>>;
  parallel: Partial<Record<ParallelField, number[]>>;
  expert: ('on' | 'off')[];
}

export const NOTHING: Unified = { quant: {}, parallel: {}, expert: [] };

/** Engines whose flags the server knows these settings for. */
export const TRANSLATED = ['sglang', 'vllm', 'tensorrt-llm'];

export function isNothing({ quant, parallel, expert }: Unified): boolean {
  return [...Object.values(quant), ...Object.values(parallel), expert].every((list) => list.length === 0);
}

/** A document in the predecessor's language that holds these settings and nothing else. */
export function carrier(unified: Unified, engine: string, model: string): string {
  const filled = (map: object) =>
    Object.fromEntries(Object.entries(map).filter(([, list]) => (list as unknown[]).length > 0));
  const parallel: Record<string, unknown> = filled(unified.parallel);
  if (unified.expert.length > 0) parallel.enable_expert_parallel = unified.expert.map((one) => one === 'on');
  return JSON.stringify({
    task_name: 'translation',
    deployment_mode: 'local',
    model: { id_or_path: model || 'model' },
    base_runtime: engine,
    parameters: {},
    quant_config: filled(unified.quant),
    parallel_config: parallel,
    optimization: { strategy: 'random', objective: 'maximize_throughput' },
    benchmark: { traffic_scenarios: ['D(100,100)'], num_concurrency: [1] },
  });
}

/** The same settings as flags of an engine. */
export interface Flags {
  parameters: Record<string, unknown>;
  fixed: Record<string, unknown>;
  constraints: string[];
  /** What could not be said in this engine's flags. */
  findings: Finding[];
}

const OURS = /^(quant_config|parallel_config)/;

export function flagsOf(answer: Validation): Flags {
  const space = answer.task?.search_space;
  const fixed = answer.task?.engine.fixed;
  return {
    parameters: isRecord(space?.parameters) ? space.parameters : {},
    fixed: isRecord(fixed) ? fixed : {},
    constraints: space?.constraints ?? [],
    findings: answer.findings.filter(
      ({ field, severity }) => OURS.test(field) || (severity === 'error' && field === ''),
    ),
  };
}

export async function translate(unified: Unified, engine: string, model: string, signal?: AbortSignal): Promise<Flags> {
  return flagsOf(await validateTask(carrier(unified, engine, model), signal));
}
