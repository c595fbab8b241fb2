import type { ReactNode } from 'react';
import { compare as words } from '@/text/compare';
import type { Best } from './best';

/** A cell of a row, with the mark of the best: filled where its interval lies apart, hollow where it does not or is not known. */
export function Marked({ best, at, children }: { best: Best | undefined; at: number; children: ReactNode }) {
  if (!best?.at.includes(at)) return <>{children}</>;
  const { isClear } = best;
  return (
    <span className="font-semibold">
      <span
        title={isClear === undefined ? words.bestUnknownHelp : isClear ? words.bestHelp : words.bestUnsureHelp}
        className="mr-1.5 inline-flex items-center gap-1 whitespace-nowrap text-xs font-normal text-ok"
      >
        <svg aria-hidden="true" viewBox="0 0 10 10" className="size-2.5">
          <path
            d="M5 1.2 9 8.6H1Z"
            fill={isClear ? 'currentColor' : 'none'}
            stroke="currentColor"
            strokeWidth="1.2"
            strokeLinejoin="round"
          />
        </svg>
        {isClear === false ? words.bestUnsure : words.best}
      </span>
      {children}
    </span>
  );
}
