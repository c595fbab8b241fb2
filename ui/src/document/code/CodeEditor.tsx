import { type RefObject, useEffect, useImperativeHandle, useRef, useState } from 'react';
import type { Finding } from '@/api/error';
import { ErrorView, Skeleton } from '@/components/States';
import { type DocumentStore, useDocumentState } from '../store';
import type { Knowledge } from './complete';
import type { Editor } from './editor';

export interface CodeHandle {
  goTo: (line: number, column: number) => void;
}

interface CodeEditorProps {
  store: DocumentStore;
  label: string;
  findings: readonly Finding[];
  knowledge: Knowledge | null;
  readOnly?: boolean;
  handle?: RefObject<CodeHandle | null>;
}

const BY = 'text';

/** The text of a document, with what the schema and the server say about it. */
export function CodeEditor({ store, label, findings, knowledge, readOnly = false, handle }: CodeEditorProps) {
  const box = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<Editor | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const state = useDocumentState(store);
  const known = useRef(knowledge);
  known.current = knowledge;

  useEffect(() => {
    let made: Editor | null = null;
    let wanted = true;
    import('./editor')
      .then(({ mountEditor }) => {
        if (!wanted || !box.current) return;
        made = mountEditor({
          parent: box.current,
          text: store.state.text,
          label,
          onText: (text) => store.set(text, BY, BY),
          onUndo: () => store.undo(),
          onRedo: () => store.redo(),
          knowledge: () => known.current,
        });
        setEditor(made);
      })
      .catch((error) => wanted && setFailed(error));
    return () => {
      wanted = false;
      made?.destroy();
      setEditor(null);
    };
  }, [store, label]);

  useEffect(() => {
    if (state.by !== BY) editor?.setText(state.text);
  }, [editor, state]);
  useEffect(() => editor?.setFindings(findings), [editor, findings]);
  useEffect(() => editor?.setReadOnly(readOnly), [editor, readOnly]);
  useImperativeHandle(handle, () => ({ goTo: (line, column) => editor?.goTo(line, column) }), [editor]);

  if (failed) return <ErrorView error={failed} />;
  return (
    <div className="relative h-full min-h-0">
      {!editor && <Skeleton lines={6} className="absolute inset-x-0 top-0" />}
      <div ref={box} className="h-full min-h-0" />
    </div>
  );
}
