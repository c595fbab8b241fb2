import { isRecord, type Path, valueAt } from './path';

/** As much of JSON Schema as our schemas use. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  $defs?: Record<string, Schema>;
}

/** A schema without `$ref`; words beside the reference go before those behind it. */
export function resolved(schema: Schema, root: Schema): Schema {
  let at = schema;
  for (let depth = 0; at.$ref && depth < 20; depth++) {
    const behind: Schema | undefined = root.$defs?.[at.$ref.replace('#/$defs/', '')];
    const { $ref: _, ...beside } = at;
    at = { ...behind, ...beside };
  }
  return at;
}

/** Every form that something may have: `anyOf` and `oneOf` taken apart, null left out. */
export function forms(schema: Schema, root: Schema): Schema[] {
  const at = resolved(schema, root);
  const parts = at.anyOf ?? at.oneOf;
  if (!parts) return at.type === 'null' ? [] : [at];
  return parts.flatMap((part) => forms(part, root));
}

export function typesOf(schema: Schema): string[] {
  const types = Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : [];
  return types.filter((type) => type !== 'null');
}

/** The constants that tell a form from its siblings (`kind: local`) are as the data has them, or the data has none. */
function fits(form: Schema, value: unknown, but?: string): boolean {
  if (!isRecord(value)) return true;
  return Object.entries(form.properties ?? {}).every(
    ([key, of]) => key === but || of.const === undefined || value[key] === undefined || value[key] === of.const,
  );
}

function child(schema: Schema, key: string | number, value: unknown, root: Schema): Schema[] {
  return forms(schema, root).flatMap((form) => {
    if (typeof key === 'number') return form.items ? [form.items] : [];
    if (!fits(form, value, key)) return [];
    const property = form.properties?.[key];
    if (property) return [property];
    return isRecord(form.additionalProperties) ? [form.additionalProperties as Schema] : [];
  });
}

/** What may stand at a place of the data: one schema for each form that leads there. */
export function schemasAt(root: Schema, path: Path, data?: unknown): Schema[] {
  let at: Schema[] = [root];
  path.forEach((key, depth) => {
    const value = data === undefined ? undefined : valueAt(data, path.slice(0, depth));
    at = at.flatMap((schema) => child(schema, key, value, root));
  });
  return at.map((schema) => resolved(schema, root));
}

export function schemaAt(root: Schema, path: Path, data?: unknown): Schema | undefined {
  return schemasAt(root, path, data)[0];
}

/** Keys that a map at this place may have, in the schema's order. */
export function propertiesAt(root: Schema, path: Path, data?: unknown): Map<string, Schema> {
  const found = new Map<string, Schema>();
  for (const schema of schemasAt(root, path, data)) {
    for (const form of forms(schema, root)) {
      if (!fits(form, valueAt(data, path))) continue;
      for (const [key, of] of Object.entries(form.properties ?? {})) {
        if (!found.has(key)) found.set(key, resolved(of, root));
      }
    }
  }
  return found;
}

export interface Choice {
  value: string | number | boolean;
  description?: string;
}

/** Values that a schema names: constants, and those of switches. */
export function choicesOf(schema: Schema, root: Schema): Choice[] {
  return forms(schema, root).flatMap((form): Choice[] => {
    if (form.const !== undefined) return [{ value: form.const as string, description: form.description }];
    if (form.type === 'boolean') return [{ value: true }, { value: false }];
    return [];
  });
}

/** Keys in the schema's order, for new ones. */
export function orderAt(root: Schema, path: Path, data?: unknown): string[] | undefined {
  const keys = [...propertiesAt(root, path, data).keys()];
  return keys.length > 0 ? keys : undefined;
}

export function isRequired(root: Schema, path: Path, data?: unknown): boolean {
  const key = path.at(-1);
  return schemasAt(root, path.slice(0, -1), data).some((schema) =>
    forms(schema, root).some((form) => form.required?.includes(String(key))),
  );
}
