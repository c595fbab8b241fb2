/** A part of a log as the server gives it. */
export interface LogPiece {
  /** Position of its first byte. */
  offset: number;
  /** Position after its last byte. */
  next: number;
  text: string;
}

/** Lines of a log around its end, as far as they are read. Positions are bytes of the file. */
export interface LogBuffer {
  offset: number;
  next: number;
  /** Whole and begun lines, oldest first. */
  lines: readonly string[];
  /** Lines were let go at the beginning. */
  isCut: boolean;
}

/** More lines than this are not kept: the oldest go. */
export const MOST_LINES = 200_000;

const NOTHING: LogBuffer = { offset: 0, next: 0, lines: [], isCut: false };

/** The last of these is what follows the last line break: empty where the text ends with one. */
function split(text: string): string[] {
  return text.split(/\r\n|\n/);
}

/** Two runs of lines that belong together: the end of the first is the begin of the second. */
function joined(first: readonly string[], second: readonly string[]): string[] {
  if (first.length === 0) return [...second];
  if (second.length === 0) return [...first];
  const seam = `${first.at(-1)}${second[0]}`;
  // A line break of two characters may have been cut between them.
  const line = second.length > 1 && seam.endsWith('\r') ? seam.slice(0, -1) : seam;
  return [...first.slice(0, -1), line, ...second.slice(1)];
}

export function begin(piece: LogPiece): LogBuffer {
  return { offset: piece.offset, next: piece.next, lines: split(piece.text), isCut: false };
}

/** What came after. A piece that does not join on is what is known from now on. */
export function appended(buffer: LogBuffer | null, piece: LogPiece): LogBuffer {
  if (!buffer || piece.offset !== buffer.next)
    return piece.offset < (buffer?.next ?? 0) ? (buffer ?? NOTHING) : begin(piece);
  const lines = joined(buffer.lines, split(piece.text));
  const over = lines.length - MOST_LINES;
  if (over <= 0) return { ...buffer, next: piece.next, lines };
  const gone = lines.slice(0, over).reduce((sum, line) => sum + new TextEncoder().encode(line).length + 1, 0);
  return { offset: buffer.offset + gone, next: piece.next, lines: lines.slice(over), isCut: true };
}

/** What came before. */
export function prepended(buffer: LogBuffer, piece: LogPiece): LogBuffer {
  if (piece.next !== buffer.offset) return buffer;
  return { ...buffer, offset: piece.offset, lines: joined(split(piece.text), buffer.lines), isCut: false };
}

/** Lines to be shown: without the empty one after the last line break. */
export function shownLines(buffer: LogBuffer | null): readonly string[] {
  if (!buffer) return [];
  return buffer.lines.at(-1) === '' ? buffer.lines.slice(0, -1) : buffer.lines;
}
