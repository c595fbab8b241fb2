import { useMemo } from 'react';
import { cx } from '@/components/cx';
import { chat } from '@/text/chat';
import { diffLines } from './diff';

const SIGN = { same: ' ', added: '+', removed: '−', gap: ' ' };

/** What differs between two documents, line by line. */
export function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  return (
    <section
      aria-label={label}
      tabIndex={0}
      className="max-h-80 overflow-auto rounded-md border border-line bg-sunken py-1 font-mono text-xs"
    >
      <div className="w-max min-w-full">
        {lines.map((line, index) =>
          line.kind === 'gap' ? (
            <div key={index} className="px-2 text-faint">
              ⋯ {chat.card.linesSame(line.count ?? 0)}
            </div>
          ) : (
            <div
              key={index}
              className={cx(
                'whitespace-pre px-2',
                line.kind === 'added' && 'bg-ok-soft text-ok',
                line.kind === 'removed' && 'bg-bad-soft text-bad',
              )}
            >
              <span className="select-none" aria-hidden={line.kind === 'same'}>
                {SIGN[line.kind]}{' '}
              </span>
              {line.text}
            </div>
          ),
        )}
      </div>
    </section>
  );
}
