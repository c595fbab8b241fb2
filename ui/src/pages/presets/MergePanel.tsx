import { Link } from '@tanstack/react-router';
import { Download, X } from 'lucide-react';
import { useState } from 'react';
import { type Merge, useMerged } from '@/api/presets';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { MergeChoice, MergeView } from '@/components/presets/MergeView';
import { Loaded } from '@/components/States';
import { presets as words } from '@/text/presets';
import { exportPresets } from './actions';

/** What the selected presets are as one, before a task takes them over. */
export function MergePanel({ names, onClear }: { names: string[]; onClear: () => void }) {
  const [merge, setMerge] = useState<Merge>('union');
  const merged = useMerged(names, merge);
  return (
    <div className="mt-3">
      <Panel
        title={words.mergePreview}
        note={names.join(' + ')}
        actions={
          <>
            <Button
              size="sm"
              icon={<Download aria-hidden className="size-3.5" />}
              onClick={() => void exportPresets(names)}
            >
              {words.exportAll(names.length)}
            </Button>
            <Link
              to="/tasks/new"
              search={{ presets: names }}
              className="inline-flex h-7 items-center rounded-md border border-accent bg-accent px-2 text-xs font-medium text-on-accent hover:bg-accent-hover"
            >
              {words.useAll(names.length)}
            </Link>
            <Button size="sm" tone="quiet" icon={<X aria-hidden className="size-3.5" />} onClick={onClear}>
              {words.clear}
            </Button>
          </>
        }
      >
        <div className="space-y-3">
          {names.length > 1 && <MergeChoice value={merge} onChange={setMerge} />}
          <Loaded of={merged}>{(found) => <MergeView merged={found} />}</Loaded>
        </div>
      </Panel>
    </div>
  );
}
