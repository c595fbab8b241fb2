import { type ReactNode, useCallback, useSyncExternalStore } from 'react';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { common } from '@/text/common';

interface Question {
  title: string;
  /** What will happen. */
  text: ReactNode;
  /** The word on the button: what is done, not "OK". */
  action: string;
  danger?: boolean;
}

interface Open extends Question {
  answer: (yes: boolean) => void;
}

let open: Open | null = null;
const listeners = new Set<() => void>();

function change(next: Open | null) {
  open = next;
  for (const listener of listeners) listener();
}

/** Asks a person; resolves to whether they want it. */
export function confirm(question: Question): Promise<boolean> {
  open?.answer(false);
  return new Promise((resolve) => {
    change({
      ...question,
      answer: (yes) => {
        change(null);
        resolve(yes);
      },
    });
  });
}

/** Stands once in the shell. */
export function ConfirmDialog() {
  const watch = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  const question = useSyncExternalStore(watch, () => open);
  if (!question) return null;
  return (
    <Dialog
      open
      onOpenChange={(is) => is || question.answer(false)}
      title={question.title}
      width="sm"
      actions={
        <>
          <Button onClick={() => question.answer(false)}>{common.cancel}</Button>
          <Button tone={question.danger ? 'danger' : 'primary'} onClick={() => question.answer(true)} autoFocus>
            {question.action}
          </Button>
        </>
      }
    >
      <div className="text-muted">{question.text}</div>
    </Dialog>
  );
}
