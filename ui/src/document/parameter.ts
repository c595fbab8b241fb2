import type { EngineParameter } from '@/api/engines';
import { isRecord } from './path';
import { inline, Typed } from './write';

/** Forms in which a parameter's values are given. */
export type SpecKind = 'values' | 'range' | 'switch';

export function specKind(spec: unknown): SpecKind {
  if (spec === 'bool') return 'switch';
  if (!isRecord(spec)) return 'values';
  if (spec.type === 'bool' && spec.values === undefined) return 'switch';
  return spec.values === undefined && ('low' in spec || 'high' in spec) ? 'range' : 'values';
}

export function valuesOf(spec: unknown): unknown[] {
  if (Array.isArray(spec)) return spec;
  return isRecord(spec) && Array.isArray(spec.values) ? spec.values : [];
}

/** Values of a range as far as they can be counted; null where it is continuous. */
export function rangeSize(spec: Record<string, unknown>): number | null {
  const { low, high, step, type } = spec;
  if (typeof low !== 'number' || typeof high !== 'number' || high < low) return null;
  const whole = type !== 'float' && [low, high, step ?? 1].every((n) => Number.isInteger(n));
  const by = typeof step === 'number' ? step : whole ? 1 : null;
  return by === null || by <= 0 ? null : Math.floor((high - low) / by + 1e-9) + 1;
}

/** How many values a parameter may take; null where it is continuous or says nothing. */
export function sizeOf(spec: unknown): number | null {
  const kind = specKind(spec);
  if (kind === 'switch') return 2;
  if (kind === 'range') return rangeSize(spec as Record<string, unknown>);
  return valuesOf(spec).length || null;
}

/** The same parameter in another form, as far as its values can be carried over. */
export function converted(spec: unknown, to: SpecKind, known?: EngineParameter): unknown {
  const beside = isRecord(spec) && typeof spec.when === 'string' && spec.when !== '' ? { when: spec.when } : null;
  if (to === 'switch') return beside ? { type: 'bool', ...beside } : 'bool';
  if (to === 'range') {
    const numbers = valuesOf(spec).filter((value): value is number => typeof value === 'number');
    const offered = isRecord(known?.tunable) && typeof known.tunable.low === 'number' ? known.tunable : null;
    if (numbers.length >= 2) return { low: Math.min(...numbers), high: Math.max(...numbers), ...beside };
    return { ...(offered ?? { low: 0, high: 1 }), ...beside };
  }
  const values = listed(spec, known);
  return beside ? { values, ...beside } : values;
}

const MOST = 24;

function listed(spec: unknown, known?: EngineParameter): unknown[] {
  if (specKind(spec) === 'switch') return [false, true];
  if (isRecord(spec) && specKind(spec) === 'range') {
    const size = rangeSize(spec);
    const [low, high] = [Number(spec.low), Number(spec.high)];
    const step = typeof spec.step === 'number' ? spec.step : 1;
    if (size !== null && size <= MOST) {
      return Array.from({ length: size }, (_, n) => Number((low + n * step).toPrecision(12)));
    }
    return [low, high].filter(Number.isFinite);
  }
  return Array.isArray(known?.tunable) ? known.tunable : [];
}

/** What a parameter of the catalogue is first tried with. */
export function firstSpec(known: EngineParameter | undefined): unknown {
  if (known?.tunable) return known.tunable;
  if (known?.kind === 'switch') return 'bool';
  if (known?.kind === 'choice') return known.values;
  const number = known?.default === undefined ? Number.NaN : Number(known.default);
  return Number.isFinite(number) && known?.default !== '' ? [new Typed(known?.default ?? '', number)] : [];
}

/** What a flag of the catalogue is first set to. */
export function firstValue(known: EngineParameter | undefined): unknown {
  if (known?.kind === 'switch') return true;
  if (known?.kind === 'choice') return known.values[0] ?? '';
  const number = Number(known?.default);
  if ((known?.kind === 'int' || known?.kind === 'float') && known.default && Number.isFinite(number)) return number;
  return known?.default ?? '';
}

export function findParameter(catalogue: readonly EngineParameter[] | undefined, name: string) {
  const plain = (word: string) => word.replaceAll('_', '-');
  const wanted = plain(name);
  return catalogue?.find((one) => plain(one.name) === wanted || one.aliases?.some((alias) => plain(alias) === wanted));
}

/** Parameters that the words of a person fit, those worth tuning first. */
export function searchParameters(catalogue: readonly EngineParameter[], typed: string): EngineParameter[] {
  const words = typed.toLowerCase().replaceAll('_', '-').split(/\s+/).filter(Boolean);
  const score = (one: EngineParameter) => {
    const name = one.name.toLowerCase().replaceAll('_', '-');
    const names = [name, ...(one.aliases ?? []).map((alias) => alias.toLowerCase())];
    const text = `${names.join(' ')} ${one.help.toLowerCase()}`;
    if (!words.every((word) => text.includes(word))) return -1;
    const first = words[0];
    const named =
      first === undefined ? 0 : names.includes(first) ? 8 : name.startsWith(first) ? 4 : name.includes(first) ? 2 : 0;
    return named + (one.tunable ? 1 : 0);
  };
  return catalogue
    .filter((one) => !one.removed)
    .map((one) => ({ one, score: score(one) }))
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score)
    .map(({ one }) => one);
}

/** A parameter in one line, as a task file has it. */
export function specText(spec: unknown): string {
  return spec === 'bool' ? 'true, false' : inline(spec).replace(/^\[(.*)\]$/s, '$1');
}
