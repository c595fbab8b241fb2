import { toast } from '@/app/toasts';
import { tasks } from '@/text/tasks';

/** Where the editor of a new task looks for a text to begin with; it takes it away. */
export const DRAFT = 'draft:new';

const MOST_BYTES = 4_000_000;

/** Hands a text to the editor; false, with a notice, if it cannot. */
export function keepDraft(text: string): boolean {
  try {
    sessionStorage.setItem(DRAFT, text);
    return true;
  } catch {
    toast({ tone: 'bad', title: tasks.cannotKeep });
    return false;
  }
}

/** The text of a task file; undefined, with a notice, for what surely is none. */
export async function readTaskFile(file: File): Promise<string | undefined> {
  if (file.size > MOST_BYTES) {
    toast({ tone: 'warn', title: tasks.tooLarge, text: file.name });
    return undefined;
  }
  const text = await file.text();
  if (text.includes('\0') || text.trim() === '') {
    toast({ tone: 'warn', title: tasks.notText, text: file.name });
    return undefined;
  }
  return text;
}
