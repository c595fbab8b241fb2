import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { send } from '@/api/client';
import type { ApiError } from '@/api/error';
import { keys } from '@/api/keys';
import { toastError } from '@/app/toasts';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { Card } from '@/components/Card';
import { type Column, DataTable } from '@/components/DataTable';
import { Empty, Loaded } from '@/components/States';
import { count, milliseconds, withUnit } from '@/format';
import { saveFile } from '@/plots/save';
import { experiment as words } from '@/text/experiment';
import { firstRecords, type RequestRow } from './requests';

/** Rows of the table; the file has all of them. */
const MOST_ROWS = 5000;

const path = (task: string, number: number) => `/api/tasks/${encodeURIComponent(task)}/experiments/${number}/requests`;

const figures: [keyof typeof words.request, (row: RequestRow) => number | undefined, (value?: number) => string][] = [
  ['planned', (row) => row.plannedS, (value) => withUnit(value, 's')],
  ['late', (row) => row.lateMs, (value) => milliseconds(value, 2)],
  ['ttft', (row) => row.ttftMs, milliseconds],
  ['tpot', (row) => row.tpotMs, milliseconds],
  ['total', (row) => row.totalMs, milliseconds],
  ['input', (row) => row.input, count],
  ['output', (row) => row.output, count],
];

const columns: Column<RequestRow>[] = [
  {
    id: 'index',
    label: words.request.index,
    width: '4rem',
    align: 'right',
    sort: (row) => row.index,
    cell: (row) => row.index,
  },
  { id: 'level', label: words.request.level, width: '7rem', sort: (row) => row.label, cell: (row) => row.label },
  ...figures.map(
    ([id, value, shown]): Column<RequestRow> => ({
      id,
      label: words.request[id],
      width: 'minmax(6rem, 1fr)',
      align: 'right',
      sort: value,
      cell: (row) => shown(value(row)),
    }),
  ),
  {
    id: 'fate',
    label: words.request.fate,
    width: 'minmax(9rem, 1.5fr)',
    sort: (row) => row.fate,
    cell: (row) => (
      <span className="flex items-center gap-1.5">
        <span className={row.fate === 'completed' ? '' : 'font-medium text-bad'}>{row.fate}</span>
        {row.isWarmUp && <Badge>{words.request.warmUp}</Badge>}
      </span>
    ),
  },
];

/** What happened to each request, where the task keeps it. */
export function RequestsTab({ task, number }: { task: string; number: number }) {
  const [saving, setSaving] = useState(false);
  const rows = useQuery({
    queryKey: keys.experimentPart(task, number, 'requests'),
    queryFn: async ({ signal }) => {
      const answer = await send(path(task, number), { signal });
      return answer.body ? firstRecords(answer.body, MOST_ROWS) : { rows: [], more: false };
    },
    structuralSharing: false,
  });
  const save = async () => {
    setSaving(true);
    try {
      const answer = await send(path(task, number));
      saveFile(`experiment-${number}-requests.jsonl`, await answer.blob());
    } catch (error) {
      toastError(error);
    } finally {
      setSaving(false);
    }
  };
  const none = <Empty title={words.noRequests} text={words.noRequestsHint} />;
  if ((rows.error as ApiError | null)?.status === 404) return none;
  return (
    <Card>
      <Loaded of={rows} isEmpty={(found) => found.rows.length === 0} empty={none}>
        {(found) => (
          <DataTable
            name="requests"
            label={words.requests}
            rows={found.rows}
            columns={columns}
            rowKey={(row) => row.key}
            rowHeight={28}
            maxHeight="calc(100vh - 20rem)"
            tools={
              <>
                {found.more && <span className="text-xs text-muted">{words.requestsShown(found.rows.length)}</span>}
                <Button
                  size="sm"
                  busy={saving}
                  icon={<Download aria-hidden className="size-3.5" />}
                  onClick={() => void save()}
                >
                  {words.saveRequests}
                </Button>
              </>
            }
          />
        )}
      </Loaded>
    </Card>
  );
}
