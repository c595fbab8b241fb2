import { Link } from '@tanstack/react-router';
import { Copy, Download, Pencil, Trash2 } from 'lucide-react';
import type { Preset } from '@/api/presets';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { Drawer } from '@/components/Dialog';
import { KeyValues } from '@/components/KeyValues';
import { MergeView } from '@/components/presets/MergeView';
import { RelativeTime } from '@/components/Time';
import { YamlView } from '@/components/Tree';
import { presets as words } from '@/text/presets';
import { exportPresets, removePreset } from './actions';

const LINK =
  'inline-flex h-8 items-center gap-1.5 rounded-md border border-edge/60 bg-surface px-3 font-medium hover:bg-hover';
const ICON = 'size-4';

/** What a preset holds, and what can be done with it. */
export function PresetDrawer({
  preset,
  may,
  onClose,
}: {
  preset: Preset | undefined;
  may: boolean;
  onClose: () => void;
}) {
  if (!preset) return null;
  const { name, metadata } = preset;
  return (
    <Drawer
      open
      onOpenChange={(open) => open || onClose()}
      title={name}
      description={preset.description}
      actions={
        <>
          <Button icon={<Download aria-hidden className={ICON} />} onClick={() => void exportPresets([name])}>
            {words.export}
          </Button>
          {may && !preset.built_in && (
            <Button
              tone="danger"
              icon={<Trash2 aria-hidden className={ICON} />}
              onClick={() => {
                onClose();
                removePreset(name);
              }}
            >
              {words.delete}
            </Button>
          )}
          {may && (
            <Link to="/presets" search={{ copy: name }} className={LINK}>
              <Copy aria-hidden className={ICON} />
              {words.copy}
            </Link>
          )}
          {may && !preset.built_in && (
            <Link to="/presets" search={{ edit: name }} className={LINK}>
              <Pencil aria-hidden className={ICON} />
              {words.edit}
            </Link>
          )}
          <Link
            to="/tasks/new"
            search={{ presets: [name] }}
            className="inline-flex h-8 items-center rounded-md border border-accent bg-accent px-3 font-medium text-on-accent hover:bg-accent-hover"
          >
            {words.use}
          </Link>
        </>
      }
    >
      <div className="space-y-4">
        <KeyValues
          pairs={[
            { label: words.engine, value: preset.engine ?? words.anyEngine },
            { label: words.category, value: preset.category },
            { label: words.origin, value: preset.built_in ? <Badge>{words.builtIn}</Badge> : words.yours },
            preset.created_at !== undefined && { label: words.created, value: <RelativeTime at={preset.created_at} /> },
            preset.updated_at !== undefined && { label: words.changed, value: <RelativeTime at={preset.updated_at} /> },
          ]}
        />
        <MergeView
          merged={{
            parameters: preset.parameters,
            constraints: preset.constraints ?? [],
            presets: [name],
            conflicts: [],
          }}
        />
        {metadata && Object.keys(metadata).length > 0 && (
          <div>
            <h3 className="mb-1 font-medium">{words.metadata}</h3>
            <YamlView value={metadata} label={words.metadata} />
          </div>
        )}
        {preset.built_in && <p className="text-xs text-faint">{words.builtInHelp}</p>}
      </div>
    </Drawer>
  );
}
