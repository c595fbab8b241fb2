import { ArrowUp, Square } from 'lucide-react';
import { type KeyboardEvent, type Ref, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react';
import { Button, IconButton } from '@/components/Button';
import { count } from '@/format';
import { chat } from '@/text/chat';
import { keepDraft, readDraft } from './draft';

const words = chat.composer;
const LONGEST = 100_000;
const HIGHEST = 240;

export interface ComposerHandle {
  /** Puts words in, to be sent or changed. */
  suggest: (text: string) => void;
  focus: () => void;
}

interface ComposerProps {
  /** Whose draft is kept. */
  draft: string;
  onSend: (text: string) => void;
  /** What was said before, the newest first. */
  said: readonly string[];
  /** The agent is at work. */
  busy?: boolean;
  /** It waits for a person. */
  waits?: boolean;
  stopping?: boolean;
  onStop?: () => void;
  /** Why nothing can be said. */
  disabled?: string;
  ref?: Ref<ComposerHandle>;
}

/** Where one writes. Enter sends, Shift Enter begins a line, arrow up brings back what was said. */
export function Composer({ draft, onSend, said, busy, waits, stopping, onStop, disabled, ref }: ComposerProps) {
  const [text, setText] = useState(() => readDraft(draft));
  /** How far back one has gone in what was said; -1: not at all. */
  const [back, setBack] = useState(-1);
  const area = useRef<HTMLTextAreaElement>(null);
  const change = (next: string) => {
    setText(next);
    keepDraft(draft, next);
  };
  useImperativeHandle(ref, () => ({
    suggest: (words) => {
      change(words);
      area.current?.focus();
    },
    focus: () => area.current?.focus(),
  }));
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is typed makes it higher
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight + 2, HIGHEST)}px`;
  }, [text]);
  const tooLong = [...text].length > LONGEST;
  const mayWrite = disabled === undefined;
  const send = () => {
    const wanted = text.trim();
    if (wanted === '' || tooLong || !mayWrite) return;
    change('');
    setBack(-1);
    onSend(wanted);
  };
  const recall = (to: number) => {
    setBack(to);
    change(to < 0 ? '' : (said[to] ?? ''));
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // A key that ends the writing of a character is not ours.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
      return;
    }
    const browses = text === '' || (back >= 0 && text === said[back]);
    if (event.key === 'ArrowUp' && browses && back + 1 < said.length) {
      event.preventDefault();
      recall(back + 1);
    } else if (event.key === 'ArrowDown' && back >= 0 && browses) {
      event.preventDefault();
      recall(back - 1);
    }
  };
  return (
    <div className="mx-auto w-full max-w-4xl">
      <div className="flex items-end gap-1.5 rounded-lg border border-edge/70 bg-surface p-1.5 focus-within:border-accent">
        <textarea
          ref={area}
          rows={1}
          aria-label={words.label}
          aria-invalid={tooLong || undefined}
          placeholder={waits ? words.placeholderWaits : busy ? words.placeholderBusy : words.placeholder}
          disabled={!mayWrite}
          className="min-h-8 w-full min-w-0 resize-none bg-transparent px-1.5 py-1 text-base outline-none placeholder:text-faint"
          value={text}
          onChange={(event) => {
            change(event.target.value);
            setBack(-1);
          }}
          onKeyDown={onKey}
        />
        {busy && onStop && (
          <Button
            title={words.stopHelp}
            busy={stopping}
            icon={<Square aria-hidden className="size-3.5" fill="currentColor" />}
            onClick={onStop}
          >
            {words.stop}
          </Button>
        )}
        <IconButton
          tone="primary"
          label={words.send}
          disabled={!mayWrite || text.trim() === '' || tooLong}
          icon={<ArrowUp aria-hidden className="size-4" />}
          onClick={send}
        />
      </div>
      <p className="mt-1 truncate px-1 text-xs text-faint">
        {disabled ?? (tooLong ? <span className="text-bad">{words.tooLong(count(LONGEST))}</span> : words.hint)}
      </p>
    </div>
  );
}
