import type { ReactNode } from 'react';
import { cx } from './cx';

export interface Pair {
  label: ReactNode;
  value: ReactNode;
  /** Machine text. */
  mono?: boolean;
}

/** Names with their values, one a line; in two columns where there is room and `columns` says so. */
export function KeyValues({
  pairs,
  columns = 1,
}: {
  pairs: readonly (Pair | false | null | undefined)[];
  columns?: 1 | 2;
}) {
  return (
    <dl className={cx('grid gap-x-6', columns === 2 && 'lg:grid-cols-2')}>
      {pairs.map(
        (pair, index) =>
          pair && (
            <div
              key={index}
              className="grid grid-cols-[minmax(7rem,34%)_1fr] gap-3 border-b border-line/60 py-1 last:border-0"
            >
              <dt className="text-muted [overflow-wrap:anywhere]">{pair.label}</dt>
              <dd className={cx('min-w-0 [overflow-wrap:anywhere]', pair.mono && 'font-mono text-xs leading-5')}>
                {pair.value === null || pair.value === undefined || pair.value === '' ? (
                  <span className="text-faint">–</span>
                ) : (
                  pair.value
                )}
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}
