/**
 * Cuts Markdown into parts that stand for themselves, so that while an answer is written only its last part is read anew. What
 * cannot be cut for certain stays together: lists, tables, code, quotes; and a text that defines links below is one part.
 */
export function blocks(text: string): string[] {
  if (DEFINES.test(text)) return [text];
  const found: string[] = [];
  let part: string[] = [];
  let fence: string | null = null;
  const end = () => {
    if (part.some((line) => line.trim() !== '')) found.push(part.join('\n'));
    part = [];
  };
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    const opens = fence === null;
    const isBlankBefore = part.length > 0 && part.at(-1)?.trim() === '';
    // A list may go on after a blank line; so may what is set in under it.
    const goesOn = ITEM.test(part[0] ?? '') && (ITEM.test(line) || /^\s/.test(line));
    if (opens && isBlankBefore && line.trim() !== '' && !goesOn) end();
    part.push(line);
    if (mark === undefined) continue;
    if (fence === null) fence = mark;
    else if (mark.startsWith(fence) && line.trim() === mark) fence = null;
  }
  end();
  return found;
}

const ITEM = /^ {0,3}([-*+]|\d+[.)])(\s|$)/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const DEFINES = /^ {0,3}\[[^\]\n]+\]:/m;
