import { ArrowRightLeft, FileInput } from 'lucide-react';
import type { ImportBackend, Validation } from '@/api/documents';
import type { Finding } from '@/api/error';
import { Button } from '@/components/Button';
import { Disclosure } from '@/components/Disclosure';
import { Select } from '@/components/Select';
import { Help } from '@/document/fields/words';
import { editor as words } from '@/text/editor';
import { FindingList } from './FindingList';
import { Note } from './Notes';

/** What was translated, and how. */
export interface Translation {
  notes: Finding[];
  original: string;
}

interface ImportPanelProps {
  isImport: boolean;
  answer: Validation | undefined;
  backend: ImportBackend | undefined;
  onBackend: (backend: ImportBackend | undefined) => void;
  onTranslate: () => void;
  translation: Translation | null;
  onDismiss: () => void;
  onGo: (line: number, column: number) => void;
}

/** A file of the predecessor: what hinders its translation, and what the translation changed. */
export function ImportPanel(props: ImportPanelProps) {
  const { isImport, answer, backend, onBackend, onTranslate, translation, onDismiss, onGo } = props;
  if (!isImport) return translation && <Translated translation={translation} onDismiss={onDismiss} />;
  const errors = answer?.findings.filter(({ severity }) => severity === 'error') ?? [];
  return (
    <Note tone="warn" icon={<FileInput aria-hidden className="size-4 text-warn" />}>
      <h2 className="font-semibold">{words.import.title}</h2>
      <p className="mb-2">{answer?.valid ? words.import.ready : words.import.help}</p>
      <div className="flex flex-wrap items-end gap-2">
        <Select
          className="w-72 max-w-full"
          label={words.import.where}
          value={backend ?? 'file'}
          options={[
            { value: 'file', label: words.import.asFile },
            { value: 'local', label: words.import.local },
            { value: 'virtual', label: words.import.virtual },
          ]}
          onChange={(next) => onBackend(next === 'file' ? undefined : (next as ImportBackend))}
        />
        <Button
          tone="primary"
          icon={<ArrowRightLeft aria-hidden className="size-4" />}
          disabled={!answer?.valid}
          onClick={onTranslate}
        >
          {words.import.translate}
        </Button>
      </div>
      {errors.length > 0 && (
        <div className="mt-2 border-t border-line pt-2">
          <FindingList findings={errors} onGo={onGo} />
        </div>
      )}
    </Note>
  );
}

function Translated({ translation, onDismiss }: { translation: Translation; onDismiss: () => void }) {
  const { notes } = translation;
  return (
    <Note
      tone="info"
      icon={<ArrowRightLeft aria-hidden className="size-4 text-accent" />}
      actions={
        <Button size="sm" onClick={onDismiss}>
          {words.import.dismiss}
        </Button>
      }
    >
      <h2 className="font-semibold">{words.import.done}</h2>
      <p>{words.import.doneHelp}</p>
      {notes.length > 0 && (
        <Disclosure title={words.import.changes(notes.length)} open>
          <ul className="space-y-1 text-xs">
            {notes.map((note) => (
              <li key={`${note.line} ${note.column} ${note.message}`}>
                <span className="mr-1.5 font-mono text-muted">{note.field}</span>
                <Help text={note.message} />
              </li>
            ))}
          </ul>
        </Disclosure>
      )}
      <Disclosure title={words.import.original}>
        <pre
          className="max-h-60 overflow-auto rounded-sm bg-sunken p-2 font-mono text-xs"
          tabIndex={0}
          role="region"
          aria-label={words.import.original}
        >
          {translation.original}
        </pre>
      </Disclosure>
    </Note>
  );
}
