import { Upload } from 'lucide-react';
import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { Button } from './Button';
import { cx } from './cx';

interface DropZoneProps {
  /** The word of the button. */
  label: string;
  /** What may be dropped. */
  hint: ReactNode;
  multiple?: boolean;
  accept?: string;
  onFiles: (files: File[]) => void;
}

/** Takes files: dropped, or chosen with a button. */
export function DropZone({ label, hint, multiple, accept, onFiles }: DropZoneProps) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (files: FileList | null) => {
    const list = [...(files ?? [])];
    if (list.length > 0) onFiles(multiple ? list : list.slice(0, 1));
  };
  const onDrag = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    setOver(true);
  };
  return (
    <div
      onDragEnter={onDrag}
      onDragOver={onDrag}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
      }}
      className={cx(
        'flex flex-col items-center gap-2 rounded-md border border-dashed px-4 py-5 text-center',
        over ? 'border-accent bg-accent-soft' : 'border-edge/60',
      )}
    >
      <Button icon={<Upload aria-hidden className="size-4" />} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <div className="max-w-prose text-xs text-muted">{hint}</div>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        multiple={multiple}
        accept={accept}
        onChange={(event) => {
          take(event.target.files);
          event.target.value = '';
        }}
      />
    </div>
  );
}
