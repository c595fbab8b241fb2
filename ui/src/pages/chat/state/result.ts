/** What a tool gave, read back from the text that the model was told. */
export interface Result {
  /** The document, where the text is a whole one. */
  value?: unknown;
  error?: { code?: string; message: string; hint?: string; findings?: unknown };
  /** The text itself, where it is no whole document. */
  text?: string;
  /** What was left out of the middle: "1234 bytes in 56 lines". */
  leftOut?: string;
  /** It holds text that others may have written; whose. */
  untrusted?: string;
}

const MARK = /^<untrusted source="([^"]*)">\n([\s\S]*)\n<\/untrusted>$/;
const CUT = /\n\[\.\.\. (\d+ bytes in \d+ lines) left out; [^\]\n]*\]\n/;

/** `crates/tuner-agent/src/context.rs` wraps and cuts, `act.rs` writes the document. */
export function readResult(told: string): Result {
  const [, untrusted, inner] = MARK.exec(told) ?? [];
  const text = inner ?? told;
  const marked = untrusted === undefined ? {} : { untrusted };
  const leftOut = CUT.exec(text)?.[1];
  if (leftOut !== undefined) return { ...marked, text, leftOut };
  const document = parsed(text);
  if (!isRecord(document) || !('success' in document))
    return { ...marked, ...(document === undefined ? { text } : { value: document }) };
  if (isRecord(document.error) && typeof document.error.message === 'string') {
    const { code, message, hint, findings } = document.error as Required<Result>['error'];
    return { ...marked, error: { code, message, hint, findings } };
  }
  return { ...marked, value: document.result };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
