import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useDatasets } from '@/api/datasets';
import { useMay } from '@/api/role';
import { useTitle } from '@/app/title';
import { usePendingDeletes } from '@/app/undo';
import { Card, PageHead, Panel } from '@/components/Card';
import { DropZone } from '@/components/DropZone';
import { Empty, Loaded } from '@/components/States';
import { datasets as text } from '@/text/datasets';
import { shell } from '@/text/shell';
import { DatasetDrawer } from './DatasetDrawer';
import { DatasetTable } from './DatasetTable';
import { datasetKey } from './deletion';
import { Fetches } from './Fetches';
import { FetchForm } from './FetchForm';
import type { Search } from './search';
import { Uploads } from './Uploads';
import { useUploads } from './useUploads';

const route = getRouteApi('/datasets');

export default function DatasetsPage() {
  useTitle(shell.pages.datasets);
  const { q, open } = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<Search>) => void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const datasets = useDatasets();
  const mayChange = useMay('operator');
  const isDeleting = usePendingDeletes();
  const { uploads, send, again, dismiss } = useUploads();
  const kept = useMemo(
    () => datasets.data?.filter((one) => !isDeleting(datasetKey(one.name))),
    [datasets.data, isDeleting],
  );
  const words = (q ?? '').toLowerCase();
  const shown = kept?.filter((one) =>
    `${one.name} ${one.format} ${one.origin} ${one.host}`.toLowerCase().includes(words),
  );

  return (
    <>
      <PageHead title={shell.pages.datasets} note={text.note} />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]">
        <Card>
          <Loaded
            of={{ ...datasets, data: shown }}
            isEmpty={() => kept?.length === 0}
            empty={<Empty title={text.empty} text={text.emptyText} />}
          >
            {(rows) => (
              <DatasetTable
                datasets={rows}
                mayChange={mayChange}
                search={q ?? ''}
                onSearch={(next) => set({ q: next || undefined })}
                onOpen={(one) => set({ open: one.name })}
              />
            )}
          </Loaded>
        </Card>
        {mayChange && (
          <div className="space-y-4">
            <Panel title={text.add}>
              <div className="space-y-3">
                <DropZone
                  label={text.choose}
                  hint={text.dropHint}
                  multiple
                  onFiles={(files) => files.forEach((file) => void send(file))}
                />
                <Uploads uploads={uploads} onAgain={again} onDismiss={dismiss} />
              </div>
            </Panel>
            <Panel title={text.fetch}>
              <div className="space-y-3">
                <FetchForm />
                <Fetches />
              </div>
            </Panel>
          </div>
        )}
      </div>
      {open && <DatasetDrawer name={open} mayChange={mayChange} onClose={() => set({ open: undefined })} />}
    </>
  );
}
