import { useMemo, useState } from 'react';
import { Panel } from '@/components/Card';
import { type Column, DataTable } from '@/components/DataTable';
import { LogView } from '@/components/LogView';
import { Quantity } from '@/components/Quantity';
import { SplitPane } from '@/components/SplitPane';
import { StatusBadge } from '@/components/StatusBadge';
import { JsonTree, YamlView } from '@/components/Tree';
import type { Sort } from '@/components/tableState';

interface Row {
  number: number;
  outcome: string;
  throughput: number | null;
  configuration: string;
}

const OUTCOMES = ['success', 'success', 'infeasible', 'pruned', 'failed', 'open'];
const ROWS: Row[] = Array.from({ length: 10_000 }, (_, n) => ({
  number: n + 1,
  outcome: OUTCOMES[n % 6] ?? 'open',
  throughput: n % 6 < 2 ? 1000 + ((n * 7919) % 4000) / 3 : null,
  configuration: `max-num-seqs=${2 ** (4 + (n % 5))} gpu-memory-utilization=0.${80 + (n % 15)} enable-prefix-caching=${n % 2 === 0}`,
}));
const COLUMNS: Column<Row>[] = [
  { id: 'number', label: '#', width: '4.5rem', align: 'right', sort: (row) => row.number, cell: (row) => row.number },
  {
    id: 'outcome',
    label: 'Outcome',
    width: '8rem',
    sort: (row) => row.outcome,
    cell: (row) => <StatusBadge state={row.outcome} />,
  },
  {
    id: 'throughput',
    label: 'Output throughput',
    width: '10rem',
    align: 'right',
    sort: (row) => row.throughput,
    cell: (row) => <Quantity metric="output_throughput" value={row.throughput} />,
  },
  {
    id: 'configuration',
    label: 'Configuration',
    width: 'minmax(20rem, 1fr)',
    cell: (row) => <span className="font-mono text-xs">{row.configuration}</span>,
  },
];
const LOG = Array.from(
  { length: 5000 },
  (_, n) =>
    `INFO 11-28 03:00:${String(n % 60).padStart(2, '0')} [core.py:${n}] Maximum concurrency for 4096 tokens per request: ${n}x`,
);
const TREE = {
  engine: { name: 'vllm', gpus: 1 },
  levels: [{ concurrency: 8 }, { concurrency: 48 }],
  name: 'support-chat',
  seed: 0,
};

export function Data() {
  const [selected, setSelected] = useState<Set<string | number>>(new Set([2, 3]));
  const [sort, setSort] = useState<Sort | undefined>();
  const [opened, setOpened] = useState<number | null>(null);
  const rows = useMemo(() => ROWS, []);
  return (
    <>
      <Panel title="10 000 rows" note={opened === null ? '' : `opened ${opened}`} flush>
        <DataTable
          label="Experiments"
          name="gallery"
          rows={rows}
          columns={COLUMNS}
          rowKey={(row) => row.number}
          rowName={(row) => `experiment ${row.number}`}
          sort={sort}
          onSort={setSort}
          selected={selected}
          onSelect={setSelected}
          onOpen={(row) => setOpened(row.number)}
          maxHeight="18rem"
        />
      </Panel>
      <SplitPane
        first={<LogView label="Log of experiment 7" lines={LOG} live height="12rem" />}
        second={
          <div className="grid gap-3">
            <Panel title="Tree" level={3}>
              <JsonTree label="Task" value={TREE} depth={2} />
            </Panel>
            <YamlView label="Task file" value={TREE} />
          </div>
        }
      />
    </>
  );
}
