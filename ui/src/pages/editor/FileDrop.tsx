import { FileInput } from 'lucide-react';
import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { toast } from '@/app/toasts';
import { editor as words } from '@/text/editor';

/** Larger than any task file is. */
const MOST_BYTES = 4_000_000;

/** The text of a task file; says so where it is none. */
export async function fileText(file: File): Promise<string | undefined> {
  if (file.size > MOST_BYTES) {
    toast({ tone: 'bad', title: words.drop.tooLarge(file.name) });
    return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    toast({ tone: 'bad', title: words.drop.noText(file.name) });
    return undefined;
  }
}

const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');

/** Takes a task file that is dropped anywhere on the page. */
export function FileDrop({ onText, children }: { onText: (text: string) => void; children: ReactNode }) {
  const [isOver, setOver] = useState(false);
  const depth = useRef(0);
  const leave = () => {
    depth.current = Math.max(0, depth.current - 1);
    if (depth.current === 0) setOver(false);
  };
  const drop = async (event: DragEvent) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    const file = event.dataTransfer.files[0];
    const text = file && (await fileText(file));
    if (text !== undefined) onText(text);
  };
  return (
    <div
      className="relative min-h-[70vh]"
      onDragEnter={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        depth.current += 1;
        setOver(true);
      }}
      onDragOver={(event) => hasFiles(event) && event.preventDefault()}
      onDragLeave={leave}
      onDrop={(event) => void drop(event)}
    >
      {children}
      {isOver && (
        <div className="pointer-events-none fixed inset-3 z-50 flex items-center justify-center rounded-lg border-2 border-dashed border-accent bg-page/90">
          <p className="flex items-center gap-2 text-lg font-medium text-accent">
            <FileInput aria-hidden className="size-6" />
            {words.drop.here}
          </p>
        </div>
      )}
    </div>
  );
}
