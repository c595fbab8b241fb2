import { Check, TriangleAlert } from 'lucide-react';
import { Panel } from '@/components/Card';
import { compare as words } from '@/text/compare';

/** How far things can be compared, said plainly. */
export function Doubts({ list, note }: { list: readonly string[]; note?: string }) {
  return (
    <Panel title={words.warnings}>
      {list.length === 0 ? (
        <p className="flex items-start gap-2">
          <Check aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />
          {words.comparable}
        </p>
      ) : (
        <ul className="space-y-1">
          {list.map((text) => (
            <li key={text} className="flex items-start gap-2 [overflow-wrap:anywhere]">
              <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
              {text}
            </li>
          ))}
        </ul>
      )}
      {note && <p className="mt-2 text-xs text-faint">{note}</p>}
    </Panel>
  );
}
