/** Scenario strings, as `crates/tuner-core/src/task/scenario.rs` reads and writes them. */

export type ScenarioKind = 'D' | 'N' | 'U' | 'L' | 'E' | 'R' | 'I';

export interface Part {
  weight: number;
  kind: ScenarioKind;
  /** Its numbers, group by group: `N(480,240)/(300,150)` is 480, 240, 300, 150. */
  numbers: number[];
}

export interface Scenario {
  /** Turns of a conversation, fewest and most. */
  turns?: [number, number];
  parts: Part[];
}

/** How many numbers each form has, and how they are grouped. */
const GROUPS: Record<ScenarioKind, number[][]> = {
  D: [[2]],
  N: [[2, 2]],
  U: [[2, 2], [2]],
  L: [[2, 2]],
  E: [[1]],
  R: [[2]],
  I: [[2], [3]],
};

/** What a new part of each form begins with. */
export const FIRST: Record<ScenarioKind, number[]> = {
  D: [512, 128],
  N: [480, 240, 300, 150],
  U: [100, 500, 50, 200],
  L: [6, 0.5, 5, 0.5],
  E: [1024],
  R: [1024, 100],
  I: [512, 512],
};

function readPart(text: string, weight: number): Part | null {
  const kind = text[0] as ScenarioKind;
  const forms = GROUPS[kind];
  if (!forms) return null;
  const groups = text.slice(1).split('/');
  const numbers: number[][] = [];
  for (const group of groups) {
    const inner = /^\(([^()]*)\)$/.exec(group)?.[1];
    if (inner === undefined) return null;
    const found = inner.split(',').map((word) => (/^\d+(\.\d+)?$/.test(word) ? Number(word) : Number.NaN));
    if (found.some(Number.isNaN)) return null;
    numbers.push(found);
  }
  const lengths = numbers.map((group) => group.length).join();
  if (!forms.some((form) => form.join() === lengths)) return null;
  const flat = numbers.flat();
  // `U(input,output)` starts both at 1.
  if (kind === 'U' && groups.length === 1) return { weight, kind, numbers: [1, flat[0] ?? 1, 1, flat[1] ?? 1] };
  return { weight, kind, numbers: flat };
}

/** A scenario; null where the text is none of the forms. */
export function readScenario(text: string): Scenario | null {
  let compact = text.replace(/\s+/g, '');
  let turns: Scenario['turns'];
  const lead = /^T\((\d+)(?:,(\d+))?\)\+/.exec(compact);
  if (lead) {
    turns = [Number(lead[1]), Number(lead[2] ?? lead[1])];
    compact = compact.slice(lead[0].length);
  }
  const terms = compact.split('+');
  const parts: Part[] = [];
  for (const term of terms) {
    const [head = '', tail] = term.split('*', 2);
    if (tail === undefined && terms.length > 1) return null;
    const weight = tail === undefined ? 1 : Number(head);
    if (!(weight > 0)) return null;
    const part = readPart(tail ?? head, weight);
    if (!part) return null;
    parts.push(part);
  }
  return turns ? { turns, parts } : { parts };
}

function writePart({ kind, numbers }: Part): string {
  if (kind === 'N' || kind === 'U' || kind === 'L') {
    const [a, b, c, d] = numbers;
    return `${kind}(${a},${b})/(${c},${d})`;
  }
  return `${kind}(${numbers.join(',')})`;
}

export function writeScenario({ turns, parts }: Scenario): string {
  const lead = turns ? `T(${turns[0] === turns[1] ? turns[0] : turns.join(',')})+` : '';
  const [only] = parts;
  if (parts.length === 1 && only?.weight === 1) return lead + writePart(only);
  return lead + parts.map((part) => `${part.weight}*${writePart(part)}`).join('+');
}
