import { CircleCheck, CircleX, X } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '@/components/Button';
import { TextField } from '@/components/Field';
import { Progress } from '@/components/Progress';
import { bytes, count, percent } from '@/format';
import { common } from '@/text/common';
import { datasets as text } from '@/text/datasets';
import { isName } from './names';
import type { Upload } from './useUploads';

interface UploadsProps {
  uploads: readonly Upload[];
  onAgain: (upload: Upload, name: string) => void;
  onDismiss: (id: number) => void;
}

/** Files on their way, and what came of them. */
export function Uploads({ uploads, onAgain, onDismiss }: UploadsProps) {
  if (uploads.length === 0) return null;
  return (
    <ul className="space-y-2">
      {uploads.map((upload) => (
        <li key={upload.id} className="space-y-1 rounded-md border border-line p-2">
          <div className="flex items-center gap-2">
            {upload.state === 'kept' && <CircleCheck aria-hidden className="size-4 shrink-0 text-ok" />}
            {(upload.state === 'failed' || upload.state === 'too_large') && (
              <CircleX aria-hidden className="size-4 shrink-0 text-bad" />
            )}
            <span className="min-w-0 truncate font-medium" title={upload.file.name}>
              {upload.state === 'kept' ? upload.name : upload.file.name}
            </span>
            <span className="shrink-0 text-xs text-faint">{bytes(upload.file.size)}</span>
            <span role="status" className="ml-auto shrink-0 text-xs text-muted">
              {status(upload)}
            </span>
            <IconButton
              size="sm"
              label={upload.state === 'sending' ? text.stop : text.dismiss}
              icon={<X aria-hidden className="size-3.5" />}
              onClick={() => (upload.state === 'sending' ? upload.stop() : onDismiss(upload.id))}
            />
          </div>
          {upload.state === 'sending' && <Progress value={upload.sent} label={text.sendingLabel(upload.file.name)} />}
          {upload.state === 'too_large' && <p className="text-bad">{text.tooLarge}</p>}
          {upload.state === 'failed' && <Failed upload={upload} onAgain={onAgain} />}
        </li>
      ))}
    </ul>
  );
}

function status({ state, sent, rows }: Upload): string {
  if (state === 'sending') return sent < 1 ? text.sending(percent(sent)) : text.reading;
  return state === 'kept' ? text.kept(count(rows)) : '';
}

function Failed({ upload, onAgain }: { upload: Upload; onAgain: UploadsProps['onAgain'] }) {
  const [name, setName] = useState(upload.name);
  const good = isName(name);
  const { error } = upload;
  return (
    <div className="space-y-2">
      <p role="alert" className="text-bad [overflow-wrap:anywhere]">
        {error?.message || common.unreachable}
        {error?.hint && <span className="block text-muted">{error.hint}</span>}
      </p>
      <div className="flex items-end gap-2">
        <TextField
          label={text.underName}
          className="flex-1"
          value={name}
          onChange={setName}
          error={good ? undefined : text.nameBad}
          mono
        />
        <Button disabled={!good} onClick={() => onAgain(upload, name)}>
          {text.again}
        </Button>
      </div>
    </div>
  );
}
