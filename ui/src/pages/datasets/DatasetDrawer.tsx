import { useNavigate } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { type DatasetDetail, useDataset } from '@/api/datasets';
import { Button } from '@/components/Button';
import { CodeBlock, CopyButton } from '@/components/Copy';
import { Drawer } from '@/components/Dialog';
import { KeyValues } from '@/components/KeyValues';
import { Loaded, Skeleton } from '@/components/States';
import { RelativeTime } from '@/components/Time';
import { bytes, count, duration, number, percent } from '@/format';
import { keepDraft } from '@/pages/tasks/draft';
import { datasets as text } from '@/text/datasets';
import { deleteDatasetUndoably } from './deletion';
import { Examples } from './Examples';
import { Lengths } from './Lengths';

interface DatasetDrawerProps {
  name: string;
  mayChange: boolean;
  onClose: () => void;
}

/** A data set looked into. */
export function DatasetDrawer({ name, mayChange, onClose }: DatasetDrawerProps) {
  const dataset = useDataset(name);
  const navigate = useNavigate();
  const use = () => {
    if (keepDraft(text.draft(name))) void navigate({ to: '/tasks/new' });
  };
  const remove = () => {
    deleteDatasetUndoably(name);
    onClose();
  };
  return (
    <Drawer
      open
      onOpenChange={(open) => open || onClose()}
      title={name}
      actions={
        mayChange && (
          <>
            <Button
              tone="danger"
              title={text.deleteHelp}
              icon={<Trash2 aria-hidden className="size-4" />}
              onClick={remove}
            >
              {text.delete}
            </Button>
            <Button tone="primary" onClick={use}>
              {text.use}
            </Button>
          </>
        )
      }
    >
      <Loaded of={dataset} skeleton={<Skeleton lines={12} />}>
        {(found) => <Facts dataset={found} />}
      </Loaded>
    </Drawer>
  );
}

function Facts({ dataset }: { dataset: DatasetDetail }) {
  const { inspection } = dataset;
  const { arrivals, dropped, shared, roles } = inspection;
  return (
    <div className="space-y-4">
      <KeyValues
        pairs={[
          { label: text.rows, value: count(inspection.rows) },
          { label: text.format, value: dataset.format },
          { label: text.size, value: bytes(dataset.bytes) },
          { label: text.origin, value: dataset.origin === 'upload' ? text.uploaded : dataset.origin },
          { label: <span title={text.hostHelp}>{text.host}</span>, value: dataset.host },
          { label: text.created, value: <RelativeTime at={dataset.created_at} exact /> },
          {
            label: text.checksum,
            mono: true,
            value: (
              <span className="flex items-center gap-1">
                {dataset.sha256}
                <CopyButton text={dataset.sha256} />
              </span>
            ),
          },
          {
            label: text.leftOut,
            value: dropped.length ? (
              <ul>
                {dropped.map((one) => (
                  <li key={one.reason}>{text.leftOutRow(count(one.rows), one.reason, one.first_line)}</li>
                ))}
              </ul>
            ) : (
              text.nothingLeftOut
            ),
          },
          {
            label: text.arrivals,
            value: arrivals ? (
              <>
                {text.arrivalsOf(duration(arrivals.span_s), number(arrivals.rate))}
                {arrivals.burstiness !== null && (
                  <span className="block text-xs text-muted">{text.burstiness(number(arrivals.burstiness))}</span>
                )}
              </>
            ) : (
              <span className="text-faint">{text.noArrivals}</span>
            ),
          },
          shared !== null && { label: text.shared, value: text.sharedOf(percent(shared)) },
          roles.length > 0 && {
            label: text.roles,
            value: roles.map(([role, messages]) => `${role} ${count(messages)}`).join(', '),
          },
        ]}
      />
      <Lengths title={text.lengths.input_tokens} spread={inspection.input_tokens} none={text.noLengths.input_tokens} />
      <Lengths
        title={text.lengths.output_tokens}
        spread={inspection.output_tokens}
        none={text.noLengths.output_tokens}
      />
      {inspection.turns && (
        <Lengths title={text.lengths.turns} spread={inspection.turns} unit={text.turnsUnit} none="" />
      )}
      <Examples rows={inspection.examples} />
      <section className="space-y-1">
        <p className="text-muted">{text.useText}</p>
        <CodeBlock text={text.snippet(dataset.name)} label={text.useText} />
      </section>
    </div>
  );
}
