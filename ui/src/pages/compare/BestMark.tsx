import type { ReactNode } from 'react';
import { compare as words } from '@/text/compare';
import type { Best } from './best';

/** A cell of a row, with the mark of the best: filled where it is surely so, hollow where intervals overlap. */
export function Marked({ best, at, children }: { best: Best | undefined; at: number; children: ReactNode }) {
  if (!best?.at.includes(at)) return <>{children}</>;
  const isUnsure = best.isClear === false;
  return (
    <span className="font-semibold">
      <span
        title={isUnsure ? words.bestUnsureHelp : words.bestHelp}
        className="mr-1.5 inline-flex items-center gap-1 whitespace-nowrap text-xs font-normal text-ok"
      >
        <svg aria-hidden="true" viewBox="0 0 10 10" className="size-2.5">
          <path
            d="M5 1.2 9 8.6H1Z"
            fill={isUnsure ? 'none' : 'currentColor'}
            stroke="currentColor"
            strokeWidth="1.2"
            strokeLinejoin="round"
          />
        </svg>
        {isUnsure ? words.bestUnsure : words.best}
      </span>
      {children}
    </span>
  );
}
