import { useMemo } from 'react';
import type { Preset } from '@/api/presets';
import { Badge } from '@/components/Badge';
import { cx } from '@/components/cx';
import { type Column, DataTable } from '@/components/DataTable';
import { INPUT } from '@/components/Field';
import { Select } from '@/components/Select';
import { RelativeTime } from '@/components/Time';
import { components } from '@/text/components';
import { presets as words } from '@/text/presets';
import type { Search } from './search';

interface PresetTableProps {
  presets: Preset[];
  search: Search;
  onSearch: (next: Partial<Search>) => void;
  selected: ReadonlySet<string | number>;
  onSelect: (selected: Set<string | number>) => void;
  onOpen: (name: string) => void;
}

const COLUMNS: Column<Preset>[] = [
  {
    id: 'name',
    label: words.name,
    width: 'minmax(13rem, 1.2fr)',
    sort: (preset) => preset.name,
    cell: (preset) => <span title={preset.name}>{preset.name}</span>,
  },
  {
    id: 'engine',
    label: words.engine,
    width: '7rem',
    sort: (preset) => preset.engine ?? '',
    cell: (preset) => preset.engine ?? <span className="text-faint">{words.anyEngine}</span>,
  },
  {
    id: 'category',
    label: words.category,
    width: '8rem',
    sort: (preset) => preset.category,
    cell: (preset) => preset.category,
  },
  {
    id: 'parameters',
    label: words.parameters,
    width: 'minmax(12rem, 2fr)',
    sort: (preset) => Object.keys(preset.parameters).length,
    cell: (preset) => {
      const names = Object.keys(preset.parameters);
      return (
        <span className="text-muted" title={names.join(', ')}>
          <span className="text-ink">{names.length}</span> · {names.join(', ')}
        </span>
      );
    },
  },
  {
    id: 'description',
    label: words.description,
    width: 'minmax(12rem, 2fr)',
    cell: (preset) => <span title={preset.description}>{preset.description}</span>,
  },
  {
    id: 'origin',
    label: words.origin,
    width: '8rem',
    sort: (preset) => (preset.built_in ? 1 : 0),
    cell: (preset) => (preset.built_in ? <Badge>{words.builtIn}</Badge> : <Badge tone="accent">{words.yours}</Badge>),
  },
  {
    id: 'changed',
    label: words.changed,
    width: '7rem',
    sort: (preset) => preset.updated_at,
    cell: (preset) => <RelativeTime at={preset.updated_at} />,
  },
];

/** All presets, those of people first. */
export function PresetTable({ presets, search, onSearch, selected, onSelect, onOpen }: PresetTableProps) {
  const { q = '', category = '', engine = '' } = search;
  const shown = useMemo(() => filtered(presets, { q, category, engine }), [presets, q, category, engine]);
  const choices = (of: (preset: Preset) => string | undefined, all: string) => [
    { value: '', label: all },
    ...[...new Set(presets.map(of).filter((word) => word !== undefined))]
      .sort()
      .map((word) => ({ value: word, label: word })),
  ];
  return (
    <DataTable
      label={words.list}
      name="presets"
      rows={shown}
      columns={COLUMNS}
      rowKey={(preset) => preset.name}
      rowName={(preset) => preset.name}
      selected={selected}
      onSelect={onSelect}
      onOpen={(preset) => onOpen(preset.name)}
      maxHeight={selected.size > 0 ? '40vh' : '70vh'}
      empty={<p className="p-6 text-center text-faint">{components.noMatch}</p>}
      tools={
        <>
          <input
            type="search"
            aria-label={words.find}
            placeholder={words.find}
            className={cx(INPUT, 'max-w-56')}
            value={q}
            onChange={(event) => onSearch({ q: event.target.value || undefined })}
          />
          <Select
            label={words.category}
            hideLabel
            value={category}
            options={choices((preset) => preset.category, words.allCategories)}
            onChange={(next) => onSearch({ category: next || undefined })}
          />
          <Select
            label={words.engine}
            hideLabel
            value={engine}
            options={choices((preset) => preset.engine, words.allEngines)}
            onChange={(next) => onSearch({ engine: next || undefined })}
          />
        </>
      }
    />
  );
}

/** Presets for an engine are also those for any. */
export function filtered(
  presets: Preset[],
  { q, category, engine }: { q: string; category: string; engine: string },
): Preset[] {
  const wanted = q.toLowerCase().split(/\s+/).filter(Boolean);
  return presets.filter((preset) => {
    if (category && preset.category !== category) return false;
    if (engine && preset.engine !== undefined && preset.engine !== engine) return false;
    const text = `${preset.name} ${preset.description ?? ''} ${Object.keys(preset.parameters).join(' ')}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
