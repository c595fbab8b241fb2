import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { ApiError } from '@/api/error';
import { confirm } from '@/app/confirm';
import { toast } from '@/app/toasts';
import { deleteUndoably } from '@/app/undo';
import { Badge } from '@/components/Badge';
import { Button, IconButton } from '@/components/Button';
import { Panel } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { Dialog, Drawer } from '@/components/Dialog';
import { Interval } from '@/components/Interval';
import { KeyValues } from '@/components/KeyValues';
import { Menu } from '@/components/Menu';
import { BlockBar, type BlockState, Progress, ShareBar } from '@/components/Progress';
import { Quantity } from '@/components/Quantity';
import { Empty, ErrorView, NoPermission, Skeleton } from '@/components/States';
import { StatusBadge } from '@/components/StatusBadge';
import { Tabs } from '@/components/Tabs';
import { Elapsed, RelativeTime } from '@/components/Time';
import { change } from '@/format';
import { states } from '@/text/common';

const STATES: BlockState[] = ['success', 'partial', 'open', 'pruned', 'infeasible', 'failed', 'cancelled'];
const blocks = Array.from({ length: 24 }, (_, n) => ({ number: n + 1, state: STATES[(n * 5) % 7] as BlockState }));
const ERROR = new ApiError(
  409,
  'name_taken',
  'there is a task called support-chat already',
  'choose another name',
  '0198f3',
);

export function Basics() {
  const [tab, setTab] = useState('one');
  const [dialog, setDialog] = useState(false);
  const [drawer, setDrawer] = useState(false);
  return (
    <>
      <Panel title="Buttons" note="and what they open">
        <div className="flex flex-wrap gap-2">
          <Button tone="primary" icon={<Plus aria-hidden className="size-4" />}>
            New task
          </Button>
          <Button onClick={() => setDialog(true)}>Dialog</Button>
          <Button onClick={() => setDrawer(true)}>Drawer</Button>
          <Button
            tone="danger"
            onClick={() =>
              void confirm({
                title: 'Cancel the task?',
                text: 'What runs is stopped.',
                action: 'Cancel it',
                danger: true,
              })
            }
          >
            Confirm
          </Button>
          <Button tone="quiet" onClick={() => deleteUndoably({ key: 'x', what: 'Preset long', run: async () => {} })}>
            Delete undoably
          </Button>
          <Button
            onClick={() =>
              toast({ tone: 'bad', title: 'Task support-chat failed', text: 'no GPU is free', stays: true })
            }
          >
            Toast
          </Button>
          <Button busy>Authorizing…</Button>
          <Button disabled>Disabled</Button>
          <Button size="sm">Small</Button>
          <IconButton label="Delete" icon={<Trash2 aria-hidden className="size-4" />} />
          <IconButton size="sm" label="Delete small" icon={<Trash2 aria-hidden className="size-4" />} />
          <Menu
            items={[
              { label: 'Clone', onSelect: () => {} },
              { kind: 'line' },
              { label: 'Delete', danger: true, icon: <Trash2 aria-hidden className="size-4" />, onSelect: () => {} },
            ]}
          >
            <Button>Menu</Button>
          </Menu>
        </div>
        <Dialog
          open={dialog}
          onOpenChange={setDialog}
          title="A dialog"
          description="With a sentence below its title."
          actions={<Button tone="primary">Do it</Button>}
        >
          Body
        </Dialog>
        <Drawer open={drawer} onOpenChange={setDrawer} title="Experiment 7">
          <KeyValues pairs={[{ label: 'Outcome', value: <StatusBadge state="success" /> }]} />
        </Drawer>
      </Panel>
      <Panel title="States">
        <div className="flex flex-wrap gap-2">
          {Object.keys(states).map((state) => (
            <StatusBadge key={state} state={state} />
          ))}
          <Badge tone="accent">vllm</Badge>
          <Badge>llama.cpp</Badge>
        </div>
        <div className="mt-3 grid gap-3 sm:grid-cols-2">
          <BlockBar blocks={blocks} remaining={8} />
          <ShareBar counts={{ success: 700, infeasible: 120, failed: 40, pruned: 90, cancelled: 8, waiting: 50 }} />
          <Progress value={0.42} label="Download" />
          <Progress label="Install" />
        </div>
      </Panel>
      <div className="grid gap-4 lg:grid-cols-2">
        <Panel title="Figures">
          <KeyValues
            pairs={[
              { label: 'Output throughput', value: <Quantity metric="output_throughput" value={12345.678} /> },
              { label: 'TTFT p99', value: <Quantity metric="ttft" value={312.41} /> },
              { label: 'Error rate', value: <Quantity metric="error_rate" value={0.0123} /> },
              { label: 'Absent', value: <Quantity metric="ttft" value={null} /> },
              { label: 'Created', value: <RelativeTime at={Date.now() - 200_000} /> },
              { label: 'Runs for', value: <Elapsed from={new Date(Date.now() - 400_000).toISOString()} /> },
              { label: 'Command', value: 'vllm serve --max-num-seqs 64 --gpu-memory-utilization 0.92', mono: true },
              {
                label: 'Better',
                value: (
                  <Interval
                    low={1.028}
                    estimate={1.031}
                    high={1.035}
                    neutral={1}
                    confidence={0.95}
                    better="larger"
                    format={(x) => change(x - 1)}
                  />
                ),
              },
              {
                label: 'Unsure',
                value: (
                  <Interval
                    low={0.98}
                    estimate={1.01}
                    high={1.04}
                    neutral={1}
                    better="larger"
                    format={(x) => change(x - 1)}
                  />
                ),
              },
              {
                label: 'Worse',
                value: (
                  <Interval
                    low={0.9}
                    estimate={0.93}
                    high={0.95}
                    neutral={1}
                    better="larger"
                    format={(x) => change(x - 1)}
                  />
                ),
              },
            ]}
          />
        </Panel>
        <Panel title="Text of machines">
          <CodeBlock
            label="Command"
            text={'vllm serve meta-llama/Llama-3.1-8B \\\n  --max-num-seqs 64 \\\n  --gpu-memory-utilization 0.92'}
          />
          <div className="mt-3">
            <Tabs
              label="Parts"
              value={tab}
              onChange={setTab}
              tabs={[
                { value: 'one', label: 'Configuration', content: 'One' },
                { value: 'two', label: 'Log', content: 'Two' },
              ]}
            />
          </div>
        </Panel>
      </div>
      <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-4">
        <Panel title="Loading" flush>
          <Skeleton lines={5} />
        </Panel>
        <Panel title="Empty" flush>
          <Empty title="No tasks yet" text="Make the first one, or drop a task file here.">
            <Button tone="primary">New task</Button>
          </Empty>
        </Panel>
        <Panel title="Error" flush>
          <ErrorView error={ERROR} onRetry={() => {}} />
        </Panel>
        <Panel title="No permission" flush>
          <NoPermission />
        </Panel>
      </div>
    </>
  );
}
