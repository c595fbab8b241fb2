/** A parameter of an engine in words. */
import type { EngineParameter } from '@/api/engines';
import type { ParameterSpec } from '@/api/types';
import { flagValue } from '@/format';
import { engines as text } from '@/text/engines';

export function typeWords(parameter: EngineParameter): string {
  const type = text.types[parameter.kind];
  return parameter.many ? text.many(type) : type;
}

export function specWords(spec: ParameterSpec): string {
  if (spec === 'bool') return text.onOff;
  if (Array.isArray(spec)) return spec.map(flagValue).join(', ');
  const { values, low, high, step, log, when, type } = spec;
  const condition = when ? text.when(when) : '';
  if (values) return values.map(flagValue).join(', ') + condition;
  if (low !== undefined && high !== undefined) {
    const by = step === undefined ? '' : text.step(String(step));
    return text.between(String(low), String(high)) + by + (log ? text.log : '') + condition;
  }
  return (type === 'bool' ? text.onOff : '') + condition;
}

/** Values worth trying, else all that are allowed; empty where neither is known. */
export function rangeWords(parameter: EngineParameter): string {
  if (parameter.tunable !== undefined) return specWords(parameter.tunable);
  if (parameter.kind === 'choice') return parameter.values.join(', ');
  return parameter.kind === 'int' && parameter.words?.length ? text.words(parameter.words.join(', ')) : '';
}

export interface Wanted {
  q?: string;
  group?: string;
  tunable?: boolean;
}

export function filtered(parameters: readonly EngineParameter[], { q, group, tunable }: Wanted): EngineParameter[] {
  const words = (q ?? '').toLowerCase().replaceAll('_', '-').split(/\s+/).filter(Boolean);
  return parameters.filter((one) => {
    if (group && one.group !== group) return false;
    if (tunable && one.tunable === undefined) return false;
    const said = `${one.name} ${one.aliases?.join(' ') ?? ''} ${one.help}`.toLowerCase().replaceAll('_', '-');
    return words.every((word) => said.includes(word.replace(/^--?/, '')));
  });
}
