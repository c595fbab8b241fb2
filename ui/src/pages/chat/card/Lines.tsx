import type { ReactNode } from 'react';

export interface Line {
  label: ReactNode;
  value: ReactNode;
  /** Machine text. */
  mono?: boolean;
}

/** Names with their values close beside them. */
export function Lines({ of }: { of: readonly (Line | false | null | undefined)[] }) {
  return (
    <dl className="grid grid-cols-[fit-content(40%)_1fr] gap-x-4 gap-y-0.5">
      {of.map(
        (line, index) =>
          line && (
            <div key={index} className="contents">
              <dt className="text-muted [overflow-wrap:anywhere]">{line.label}</dt>
              <dd className={`min-w-0 [overflow-wrap:anywhere] ${line.mono ? 'font-mono text-xs leading-5' : ''}`}>
                {line.value}
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}
