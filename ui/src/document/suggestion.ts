import type { Finding } from '@/api/error';

/** The text with the word that was meant in place of the one that a finding points at. */
export function applySuggestion(text: string, { line, column, length, suggestion }: Finding): string {
  if (suggestion === undefined) return text;
  const lines = text.split('\n');
  const characters = [...(lines[line - 1] ?? '')];
  characters.splice(column - 1, length, suggestion);
  lines[line - 1] = characters.join('');
  return lines.join('\n');
}
