import { useState } from 'react';
import { type Existing, type ImportedPresets, useImportPresets } from '@/api/presets';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { DropZone } from '@/components/DropZone';
import { Segmented } from '@/components/Segmented';
import { fileText } from '@/pages/editor/FileDrop';
import { FindingList } from '@/pages/editor/FindingList';
import { common } from '@/text/common';
import { presets as words } from '@/text/presets';

/** Stores the presets of a file: ours or the predecessor's. */
export function ImportDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const [existing, setExisting] = useState<Existing>('refuse');
  const [file, setFile] = useState<{ name: string; text: string } | null>(null);
  const load = useImportPresets();
  const close = () => {
    setFile(null);
    load.reset();
    onOpenChange(false);
  };
  const take = async ([first]: File[]) => {
    const text = first && (await fileText(first));
    if (!first || text === undefined) return;
    load.reset();
    setFile({ name: first.name, text });
  };
  const findings = load.error?.findings ?? [];
  return (
    <Dialog
      open={open}
      onOpenChange={(is) => is || close()}
      title={words.importTitle}
      description={words.importHelp}
      actions={
        load.data ? (
          <Button tone="primary" onClick={close}>
            {common.close}
          </Button>
        ) : (
          <>
            <Button onClick={close}>{common.cancel}</Button>
            <Button
              tone="primary"
              disabled={!file}
              busy={load.isPending}
              onClick={() => file && load.mutate({ text: file.text, existing })}
            >
              {words.import}
            </Button>
          </>
        )
      }
    >
      {load.data ? (
        <Done done={load.data} />
      ) : (
        <div className="space-y-4">
          <DropZone
            label={words.chooseFile}
            hint={file ? words.chosen(file.name) : words.dropHint}
            accept=".yaml,.yml,.json"
            onFiles={(files) => void take(files)}
          />
          <div>
            <p className="mb-1 font-medium">{words.existing}</p>
            <Segmented
              label={words.existing}
              value={existing}
              options={(['refuse', 'skip', 'replace'] as Existing[]).map((value) => ({
                value,
                label: words.existings[value],
              }))}
              onChange={(next) => {
                load.reset();
                setExisting(next);
              }}
            />
            <p className="mt-1 text-xs text-faint">{words.existingHelp[existing]}</p>
          </div>
          {load.error && (
            <div role="alert" className="rounded-md bg-bad-soft p-2">
              <p className="font-medium text-bad">{load.error.message}</p>
              {load.error.hint && <p>{load.error.hint}</p>}
              <FindingList findings={findings} onGo={() => {}} />
            </div>
          )}
        </div>
      )}
    </Dialog>
  );
}

function Done({ done }: { done: ImportedPresets }) {
  return (
    <div role="status" className="space-y-2">
      <p>{words.imported(done.stored.length)}</p>
      <ul className="list-disc pl-5 font-mono text-xs">
        {done.stored.map((preset) => (
          <li key={preset.name}>{preset.name}</li>
        ))}
      </ul>
      {done.skipped.length > 0 && <p className="text-muted">{words.skipped(done.skipped.join(', '))}</p>}
    </div>
  );
}
