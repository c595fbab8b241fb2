import type { JobStatus } from '@/api/types';
import { TextField } from '@/components/Field';
import { FilterChips } from '@/components/FilterChips';
import { Select } from '@/components/Select';
import { states } from '@/text/common';
import { jobs as text } from '@/text/jobs';
import { KINDS, type Kind, type Search, STATUSES } from './search';

/** What of the queue is shown. */
export function Filters({ search, onChange }: { search: Search; onChange: (change: Partial<Search>) => void }) {
  const kinds = [
    { value: '' as Kind | '', label: text.allKinds },
    ...KINDS.map((kind) => ({ value: kind, label: text.kinds[kind] ?? kind })),
  ];
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line p-2">
      <TextField
        label={text.search}
        hideLabel
        type="search"
        placeholder={text.search}
        className="w-full sm:w-56"
        value={search.q ?? ''}
        onChange={(q) => onChange({ q: q || undefined })}
      />
      <Select
        label={text.kind}
        hideLabel
        className="w-full sm:w-52"
        value={search.kind ?? ''}
        options={kinds}
        onChange={(kind) => onChange({ kind: kind || undefined })}
      />
      <FilterChips<JobStatus>
        label={text.status}
        options={STATUSES.map((status) => ({ value: status, label: states[status] }))}
        chosen={search.status ?? []}
        onChange={(status) => onChange({ status: status.length ? status : undefined })}
      />
    </div>
  );
}
