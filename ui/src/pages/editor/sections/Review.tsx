import { CircleCheck } from 'lucide-react';
import { useState } from 'react';
import type { Validation } from '@/api/documents';
import { Panel } from '@/components/Card';
import { Select } from '@/components/Select';
import { editor as words } from '@/text/editor';
import { EstimateTable } from '../Estimate';
import { FindingList } from '../FindingList';
import { useAround } from '../knowledge';
import { PreviewList } from '../PreviewList';

const LIMITS = ['20', '50', '100', '200'] as const;

/** Everything before it is saved: what is wrong, what it costs, what it starts. */
export function Review({
  validation,
  onGo,
}: {
  validation: Validation | undefined;
  onGo: (line: number, column: number) => void;
}) {
  const { validText } = useAround();
  const [limit, setLimit] = useState<(typeof LIMITS)[number]>('20');
  const findings = validation?.findings ?? [];
  return (
    <>
      <Panel title={words.review.findings} note={findings.length || undefined}>
        {validation?.summary && (
          <p className="mb-2 flex items-start gap-1.5">
            <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-ok" />
            {validation.summary}
          </p>
        )}
        <FindingList findings={findings} remarks={validation?.remarks ?? []} onGo={onGo} />
        {validation && findings.length === 0 && validation.remarks.length === 0 && (
          <p className="text-muted">{words.review.nothing}</p>
        )}
      </Panel>
      <Panel title={words.budget.estimate}>
        <EstimateTable />
      </Panel>
      <Panel
        title={words.review.configurations}
        actions={
          <Select
            label={words.review.limit}
            hideLabel
            value={limit}
            options={LIMITS.map((n) => ({ value: n, label: words.review.first(n) }))}
            onChange={setLimit}
          />
        }
      >
        <PreviewList text={validText} limit={Number(limit)} />
      </Panel>
    </>
  );
}
