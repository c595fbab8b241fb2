import { getRouteApi, Link } from '@tanstack/react-router';
import { FileUp, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { type Preset, usePresets } from '@/api/presets';
import { useMay } from '@/api/role';
import { useTitle } from '@/app/title';
import { usePendingDeletes } from '@/app/undo';
import { Button } from '@/components/Button';
import { Card, PageHead } from '@/components/Card';
import { Empty, Loaded, Skeleton } from '@/components/States';
import { presets as words } from '@/text/presets';
import { shell } from '@/text/shell';
import { deletionKey } from './actions';
import { ImportDialog } from './ImportDialog';
import { MergePanel } from './MergePanel';
import { PresetDrawer } from './PresetDrawer';
import { PresetEditorPage } from './PresetEditorPage';
import { PresetTable } from './PresetTable';
import type { Search } from './search';

const route = getRouteApi('/presets');

/** Named sets of parameters that tasks take over. */
export default function PresetsPage() {
  const search = route.useSearch();
  useTitle(shell.pages.presets);
  if (search.edit || search.copy || search.make) {
    return <PresetEditorPage key={search.edit ?? search.copy} edit={search.edit} copy={search.copy} />;
  }
  return <PresetsList search={search} />;
}

function PresetsList({ search }: { search: Search }) {
  const navigate = route.useNavigate();
  const may = useMay();
  const presets = usePresets();
  const isDeleted = usePendingDeletes();
  const [importing, setImporting] = useState(false);
  const [selected, setSelected] = useState<ReadonlySet<string | number>>(new Set());
  const show = (next: Partial<Search>) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const here = useMemo(
    () => presets.data?.filter((preset) => !isDeleted(deletionKey(preset.name))),
    [presets.data, isDeleted],
  );
  const chosen = [...selected].map(String).filter((name) => here?.some((preset) => preset.name === name));
  const open = here?.find((preset) => preset.name === search.open);
  return (
    <>
      <PageHead
        title={shell.pages.presets}
        actions={
          may && (
            <>
              <Button icon={<FileUp aria-hidden className="size-4" />} onClick={() => setImporting(true)}>
                {words.import}
              </Button>
              <Link
                to="/presets"
                search={{ make: '1' }}
                className="inline-flex h-8 items-center gap-1.5 rounded-md border border-accent bg-accent px-3 font-medium text-on-accent hover:bg-accent-hover"
              >
                <Plus aria-hidden className="size-4" />
                {words.make}
              </Link>
            </>
          )
        }
      />
      <p className="mb-3 max-w-prose text-muted">{words.about}</p>
      <Card>
        <Loaded
          of={{ ...presets, data: here }}
          skeleton={<Skeleton lines={8} />}
          empty={<Empty title={words.none} text={words.noneHint} />}
        >
          {(list: Preset[]) => (
            <PresetTable
              presets={list}
              search={search}
              onSearch={show}
              selected={selected}
              onSelect={setSelected}
              onOpen={(name) => show({ open: name })}
            />
          )}
        </Loaded>
      </Card>
      {chosen.length > 0 && <MergePanel names={chosen} onClear={() => setSelected(new Set())} />}
      <PresetDrawer preset={open} may={may} onClose={() => show({ open: undefined })} />
      <ImportDialog open={importing} onOpenChange={setImporting} />
    </>
  );
}
