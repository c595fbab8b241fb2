import { Empty } from '@/components/States';
import type { PlotTask } from '@/plots/data/points';
import { type PlotProps, REGISTRY } from '@/plots/registry';
import type { ViewKind } from '@/plots/view';
import { WhenSeen } from '@/plots/WhenSeen';
import { task as words } from '@/text/task';
import type { Search } from './search';

interface PlotsProps {
  task: PlotTask;
  /** Of how many those shown are. */
  all: number;
  search: Search;
  onSearch: (next: Partial<Search>) => void;
}

const HEIGHT = 320;

/** Every plot of the task. What is selected or hovered in one is in all. */
export function PlotsTab({ task, all, search, onSearch }: PlotsProps) {
  if (task.points.length === 0) {
    return all === 0 ? (
      <Empty title={words.table.empty} text={words.table.emptyHint} />
    ) : (
      <Empty title={words.table.noMatch} />
    );
  }
  const trade = {
    x: search.x,
    y: search.y,
    onAxes: (axes: { x?: string; y?: string }) => onSearch(axes),
  };
  const slice = {
    x: search.slice,
    y: search.of,
    onAxes: ({ x, y }: { x?: string; y?: string }) =>
      onSearch({ ...(x === undefined ? {} : { slice: x }), ...(y === undefined ? {} : { of: y }) }),
  };
  return (
    <div className="grid min-w-0 gap-3 xl:grid-cols-2 [&>*]:min-w-0 [&_section]:h-full">
      <Place kind="history" task={task} />
      <Place kind="pareto" task={task} {...trade} />
      <Place kind="throughput_latency" task={task} />
      <Place kind="latency" task={task} />
      <Place kind="parallel_coordinates" task={task} isWide />
      <Place kind="importance" task={task} />
      <Place kind="slice" task={task} {...slice} />
      <Place kind="interaction" task={task} />
      <Place kind="feasibility" task={task} />
      <Place kind="timeline" task={task} isWide />
    </div>
  );
}

function Place({ kind, isWide, ...props }: PlotProps & { kind: ViewKind; isWide?: boolean }) {
  const Plot = REGISTRY[kind];
  // The timeline is as high as it has lanes.
  const least = kind === 'timeline' ? 200 : HEIGHT + 42;
  return (
    <div className={isWide ? 'xl:col-span-2' : undefined} data-plot={kind}>
      <WhenSeen height={least}>
        <Plot {...props} height={HEIGHT} />
      </WhenSeen>
    </div>
  );
}
