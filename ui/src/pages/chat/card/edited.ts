import { lint } from '@/document/lint';
import { parse } from '@/document/read';
import type { Schema } from '@/document/schema';
import { chat } from '@/text/chat';

/** Arguments as they are typed, with what is wrong with them by the tool's schema. */
export function readArguments(text: string, schema: Schema | undefined): { value: unknown; problems: string[] } {
  const parsed = parse(text);
  if (parsed.problem) {
    const { line, message } = parsed.problem;
    return { value: undefined, problems: [chat.edit.line(line, message)] };
  }
  const errors = schema ? lint(parsed, schema).filter((finding) => finding.severity === 'error') : [];
  const problems = errors.map(({ line, message, allowed }) =>
    chat.edit.line(line, allowed ? `${message} (${allowed})` : message),
  );
  return { value: parsed.value, problems };
}
