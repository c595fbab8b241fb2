import type { Finding } from '@/api/error';
import { placeOf } from '@/document/lint';
import { isRecord, type Path } from '@/document/path';
import { type Parsed, rangeAt } from '@/document/read';
import type { Schema } from '@/document/schema';
import { documentOf } from '@/pages/editor/translate';
import { presets as words } from '@/text/presets';

export const EMPTY_PRESET = 'name: ""\ncategory: general\nengine: vllm\nparameters: {}\n';

/** What the server adds to a preset, and nobody writes. */
const ADDED = ['built_in', 'created_at', 'updated_at'];

/** A preset of an answer as a document to be edited. */
export function presetDocument(raw: string): string {
  return documentOf(raw, undefined, ADDED);
}

/** The schema of presets: its parameters are those of task files. */
export function presetSchema(task: Schema): Schema {
  const space = task.$defs?.SearchSpaceSpec?.properties ?? {};
  const { parameters, constraints } = space;
  return {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'parameters'],
    properties: {
      name: { type: 'string', description: words.schema.name },
      description: { type: ['string', 'null'], description: words.schema.description },
      category: { type: 'string', description: words.schema.category, default: 'general' },
      engine: { $ref: '#/$defs/EngineName', description: words.schema.engine },
      ...(parameters ? { parameters } : {}),
      ...(constraints ? { constraints } : {}),
      metadata: { type: 'object', additionalProperties: true, description: words.schema.metadata },
    },
    $defs: task.$defs,
  };
}

/** A task that takes the parameters of a preset, for the server to look at; null where it has no engine to look with. */
export function carrierTask(value: Record<string, unknown>): string | null {
  const { engine, parameters, constraints } = value;
  if (typeof engine !== 'string' || !isRecord(parameters) || Object.keys(parameters).length === 0) return null;
  const space = { parameters, constraints: Array.isArray(constraints) ? constraints : [] };
  return JSON.stringify({ name: 'preset', model: { id: 'm' }, engine: { name: engine }, search_space: space });
}

const PREFIX = 'search_space.';

/** What the server said of that task, at the places of the preset. One value is no error: it goes with those of others. */
export function presetFindings(found: readonly Finding[], parsed: Parsed): Finding[] {
  return found.flatMap((finding) => {
    if (!finding.field.startsWith(PREFIX)) return [];
    const field = finding.field.slice(PREFIX.length);
    const range = rangeAt(parsed.doc, placeOfField(field, parsed.value)) ?? [0, 1];
    const end = parsed.text.indexOf('\n', range[0]);
    const to = Math.min(range[1], end < 0 ? parsed.text.length : end);
    return [{ ...finding, ...placeOf(parsed.text, range[0]), length: Math.max(1, to - range[0]), field }];
  });
}

/** The path of a field's name. Keys may hold dots: the longest that the data has is meant. */
export function placeOfField(field: string, value: unknown): Path {
  const path: (string | number)[] = [];
  let rest = field;
  let at: unknown = value;
  while (rest !== '') {
    const index = /^\[(\d+)\]\.?/.exec(rest);
    if (index) {
      path.push(Number(index[1]));
      at = Array.isArray(at) ? at[Number(index[1])] : undefined;
      rest = rest.slice(index[0].length);
      continue;
    }
    const keys = isRecord(at) ? Object.keys(at) : [];
    const fits = keys.filter((key) => rest === key || rest.startsWith(`${key}.`) || rest.startsWith(`${key}[`));
    const key = fits.sort((a, b) => b.length - a.length)[0] ?? /^[^.[]+/.exec(rest)?.[0];
    if (key === undefined) break;
    path.push(key);
    at = isRecord(at) ? at[key] : undefined;
    rest = rest.slice(key.length).replace(/^\./, '');
  }
  return path;
}

/** Several presets as one file that can be imported. */
export function exportFile(texts: readonly string[]): string {
  const items = texts.map((text) => {
    const lines = text.trimEnd().split('\n');
    return lines.map((line, index) => (index === 0 ? `  - ${line}` : line ? `    ${line}` : line)).join('\n');
  });
  return `version: "1.0"\npresets:\n${items.join('\n')}\n`;
}
