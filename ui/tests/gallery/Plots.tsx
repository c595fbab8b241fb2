import { useCallback } from 'react';
import { Chart } from '@/plots/Chart';
import { LiveSeries } from '@/plots/LiveSeries';
import { StateLegend } from '@/plots/StateLegend';
import { type PlotState, type PlotTheme, STATE_SYMBOL } from '@/plots/theme';

const STATES: PlotState[] = ['success', 'partial', 'open', 'pruned', 'infeasible', 'failed', 'cancelled'];
const POINTS = Array.from({ length: 120 }, (_, n) => ({
  n: n + 1,
  value: 900 + ((n * 7919) % 1000) / 2 + n * 2,
  state: STATES[(n * 3) % 7] as PlotState,
}));
const TABLE = {
  columns: ['experiment', 'output throughput (tok/s)', 'state'],
  rows: POINTS.map((p) => [p.n, p.value, p.state]),
};
const AT = Array.from({ length: 200 }, (_, n) => n / 2);
const LINES = [
  { label: 'running', values: AT.map((t) => 20 + 15 * Math.sin(t / 7)) },
  { label: 'waiting', values: AT.map((t) => (t < 20 ? null : 8 + 6 * Math.cos(t / 5))) },
];

function option(theme: PlotTheme) {
  return {
    xAxis: { type: 'value', name: 'experiment' },
    yAxis: { type: 'value', name: 'tok/s', scale: true },
    tooltip: { trigger: 'item' },
    dataZoom: [{ type: 'inside' }],
    series: STATES.map((state) => ({
      type: 'scatter',
      name: state,
      symbol: STATE_SYMBOL[state],
      symbolSize: 8,
      itemStyle: { color: theme.state[state] },
      data: POINTS.filter((p) => p.state === state).map((p) => [p.n, p.value]),
    })),
  };
}

export function Plots() {
  const few = useCallback(option, []);
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Chart
        title="History"
        note="120 experiments"
        description="Output throughput of each experiment."
        option={option}
        table={TABLE}
        fileName="history"
        tools={<StateLegend shown={['success', 'failed']} />}
      />
      <Chart
        title="Importance"
        description="None yet."
        option={few}
        table={{ columns: [], rows: [] }}
        fileName="x"
        points={{ have: 3, need: 20 }}
      />
      <div className="rounded-lg border border-line bg-surface p-3">
        <StateLegend shown={STATES} />
        <LiveSeries label="Requests in the engine" at={AT} lines={LINES} relative />
      </div>
    </div>
  );
}
