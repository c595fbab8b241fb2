import { Trash2 } from 'lucide-react';
import type { DatasetItem } from '@/api/datasets';
import { IconButton } from '@/components/Button';
import { type Column, DataTable } from '@/components/DataTable';
import { TextField } from '@/components/Field';
import { RelativeTime } from '@/components/Time';
import { useNarrow } from '@/components/useNarrow';
import { bytes, count } from '@/format';
import { datasets as text } from '@/text/datasets';
import { deleteDatasetUndoably } from './deletion';

interface DatasetTableProps {
  datasets: readonly DatasetItem[];
  mayChange: boolean;
  search: string;
  onSearch: (search: string) => void;
  onOpen: (dataset: DatasetItem) => void;
}

function columnsOf(narrow: boolean, mayChange: boolean, oneHost: boolean): Column<DatasetItem>[] {
  const remove: Column<DatasetItem> = {
    id: 'delete',
    label: '',
    width: '3rem',
    align: 'right',
    cell: (one) => (
      <IconButton
        size="sm"
        label={`${text.delete}: ${one.name}`}
        icon={<Trash2 aria-hidden className="size-4" />}
        onClick={() => deleteDatasetUndoably(one.name)}
      />
    ),
  };
  return [
    {
      id: 'name',
      label: text.name,
      width: 'minmax(8rem, 1fr)',
      sort: (one) => one.name,
      cell: (one) => (
        <span className="font-medium" title={one.name}>
          {one.name}
        </span>
      ),
    },
    {
      id: 'rows',
      label: text.rows,
      width: '5.5rem',
      align: 'right',
      sort: (one) => one.rows,
      cell: (one) => count(one.rows),
    },
    {
      id: 'format',
      label: text.format,
      width: '10rem',
      hidden: narrow,
      sort: (one) => one.format,
      cell: (one) => one.format,
    },
    {
      id: 'size',
      label: text.size,
      width: '6rem',
      align: 'right',
      hidden: narrow,
      sort: (one) => one.bytes,
      cell: (one) => bytes(one.bytes),
    },
    {
      id: 'origin',
      label: text.origin,
      width: 'minmax(6rem, 0.75fr)',
      hidden: narrow,
      sort: (one) => one.origin,
      cell: (one) => <span title={one.origin}>{one.origin === 'upload' ? text.uploaded : one.origin}</span>,
    },
    {
      id: 'host',
      label: text.host,
      help: text.hostHelp,
      width: '6rem',
      hidden: narrow || oneHost,
      sort: (one) => one.host,
      cell: (one) => <span title={one.host}>{one.host}</span>,
    },
    {
      id: 'created',
      label: text.created,
      width: '6.5rem',
      sort: (one) => Date.parse(one.created_at),
      cell: (one) => <RelativeTime at={one.created_at} />,
    },
    ...(mayChange ? [remove] : []),
  ];
}

export function DatasetTable({ datasets, mayChange, search, onSearch, onOpen }: DatasetTableProps) {
  const narrow = useNarrow();
  const oneHost = new Set(datasets.map((one) => one.host)).size < 2;
  return (
    <DataTable
      name="datasets"
      label={text.list}
      rows={datasets}
      columns={columnsOf(narrow, mayChange, oneHost)}
      rowKey={(one) => one.name}
      onOpen={onOpen}
      rowHeight={36}
      empty={<p className="p-6 text-center text-faint">{text.noMatch}</p>}
      tools={
        <TextField
          label={text.search}
          hideLabel
          type="search"
          placeholder={text.search}
          className="w-40 sm:w-64"
          value={search}
          onChange={onSearch}
        />
      }
    />
  );
}
