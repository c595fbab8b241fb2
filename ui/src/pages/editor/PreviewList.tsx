import { CircleAlert, CircleCheck } from 'lucide-react';
import { useState } from 'react';
import { usePreview } from '@/api/documents';
import type { Schemas } from '@/api/types';
import { Badge } from '@/components/Badge';
import { CopyButton } from '@/components/Copy';
import { Loaded, Skeleton } from '@/components/States';
import { Checkbox } from '@/components/Toggle';
import { count } from '@/format';
import { editor as words } from '@/text/editor';

type Item = Schemas['PreviewItem'];

/** Configurations of a document with their exact command lines, and which cannot run. */
export function PreviewList({ text, limit }: { text: string | null; limit: number }) {
  const preview = usePreview(text, limit);
  const [onlyImpossible, setOnly] = useState(false);
  if (text === null) return <p className="text-muted">{words.preview.whenValid}</p>;
  return (
    <Loaded of={preview} skeleton={<Skeleton lines={5} />}>
      {(found) => {
        const cannot = found.configurations.filter((one) => one.impossible);
        const shown = onlyImpossible ? cannot : found.configurations;
        return (
          <div className="space-y-3">
            <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
              <Feasibility found={found} />
              {cannot.length > 0 && (
                <Checkbox label={words.preview.onlyImpossible} checked={onlyImpossible} onChange={setOnly} />
              )}
            </div>
            <ol className="divide-y divide-line rounded-md border border-line">
              {shown.map((item, index) => (
                <Row key={`${item.baseline} ${item.text} ${index}`} item={item} />
              ))}
            </ol>
            <p className="text-xs text-faint">{words.preview.certain}</p>
          </div>
        );
      }}
    </Loaded>
  );
}

function Feasibility({ found }: { found: Schemas['PreviewBody'] }) {
  const { combinations, cannot_run: cannot } = found;
  if (combinations === null || combinations === undefined || cannot === null || cannot === undefined) {
    return <p className="text-muted">{words.preview.notListed}</p>;
  }
  return (
    <p className="flex items-center gap-1.5">
      {cannot === 0 ? (
        <CircleCheck aria-hidden className="size-4 text-ok" />
      ) : (
        <CircleAlert aria-hidden className="size-4 text-warn" />
      )}
      {words.preview.feasible(count(combinations), count(cannot))}
    </p>
  );
}

function Row({ item }: { item: Item }) {
  return (
    <li className="flex items-start gap-2 p-2">
      <div className="min-w-0 flex-1 space-y-1">
        <div className="flex flex-wrap items-center gap-1.5">
          {item.baseline && <Badge tone="accent">{words.preview.baseline}</Badge>}
          {item.impossible && (
            <Badge tone="bad" icon={<CircleAlert aria-hidden className="size-3" />}>
              {words.preview.impossible}
            </Badge>
          )}
          <span className="font-mono text-xs text-muted [overflow-wrap:anywhere]">
            {item.text || words.preview.defaults}
          </span>
        </div>
        {item.impossible && <p className="text-xs text-bad">{item.impossible}</p>}
        {item.command ? (
          <code className="block rounded-sm bg-sunken px-2 py-1 font-mono text-xs [overflow-wrap:anywhere]">
            {item.command}
          </code>
        ) : (
          <p className="text-xs text-faint">{words.preview.noCommand}</p>
        )}
      </div>
      {item.command && <CopyButton text={item.command} label={words.preview.copy} />}
    </li>
  );
}
