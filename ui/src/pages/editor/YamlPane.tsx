import { Redo2, Undo2 } from 'lucide-react';
import { type RefObject, useRef } from 'react';
import type { Finding } from '@/api/error';
import { IconButton } from '@/components/Button';
import { CopyButton } from '@/components/Copy';
import { CodeEditor, type CodeHandle } from '@/document/code/CodeEditor';
import type { Knowledge } from '@/document/code/complete';
import { type DocumentStore, useDocumentState } from '@/document/store';
import { applySuggestion } from '@/document/suggestion';
import { editor as words } from '@/text/editor';
import { FindingList } from './FindingList';
import { useRoom } from './useRoom';

interface YamlPaneProps {
  store: DocumentStore;
  findings: readonly Finding[];
  remarks: readonly string[];
  knowledge: Knowledge;
  handle: RefObject<CodeHandle | null>;
  onGo: (line: number, column: number, field?: string) => void;
  title?: string;
}

/** The text itself, and below it what is said about it. */
export function YamlPane({
  store,
  findings,
  remarks,
  knowledge,
  handle,
  onGo,
  title = words.yamlTitle,
}: YamlPaneProps) {
  const { canUndo, canRedo } = useDocumentState(store);
  const box = useRef<HTMLElement>(null);
  useRoom(box);
  return (
    <section
      ref={box}
      aria-label={title}
      className="flex h-[75vh] min-w-0 flex-col overflow-hidden rounded-lg border border-line bg-surface lg:sticky lg:top-24 lg:h-[var(--room)]"
    >
      <header className="flex h-10 shrink-0 items-center gap-1 border-b border-line px-3">
        <h2 className="font-semibold">{title}</h2>
        <span className="hidden truncate pl-2 text-xs text-faint xl:inline">{words.yamlHelp}</span>
        <div className="ml-auto flex gap-0.5">
          <IconButton
            size="sm"
            label={words.undo}
            disabled={!canUndo}
            icon={<Undo2 aria-hidden className="size-4" />}
            onClick={() => store.undo()}
          />
          <IconButton
            size="sm"
            label={words.redo}
            disabled={!canRedo}
            icon={<Redo2 aria-hidden className="size-4" />}
            onClick={() => store.redo()}
          />
          <CopyButton text={() => store.state.text} />
        </div>
      </header>
      <div className="min-h-0 flex-1">
        <CodeEditor store={store} label={title} findings={findings} knowledge={knowledge} handle={handle} />
      </div>
      {findings.length + remarks.length > 0 && (
        <div
          role="region"
          aria-label={words.findings}
          tabIndex={0}
          className="max-h-[35%] shrink-0 overflow-y-auto border-t border-line px-3 py-2"
        >
          <FindingList
            findings={findings}
            remarks={remarks}
            onGo={onGo}
            onUse={(finding) => store.set(applySuggestion(store.state.text, finding), 'suggestion')}
          />
        </div>
      )}
    </section>
  );
}
