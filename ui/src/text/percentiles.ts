/** Latency percentile curves. */
export const percentiles = {
  axis: 'Percentile of requests',
  metric: 'Time',
  slo: 'SLO',
  sloAt: (stat: string, most: string) => `SLO ${stat} ≤ ${most} ms`,
  tip: (metric: string, percentile: string) => `${metric}, ${percentile}`,
  noBound: 'too few requests for a bound',
  lower: (name: string) => `${name}: lower bound`,
  upper: (name: string) => `${name}: upper bound`,
  note: 'with 98 % intervals',
  above: (slos: string) => `${slos} lies far above`,
  describe: (metric: string, curves: string, limits: string) =>
    `${metric} by percentile for ${curves}.${limits ? ` ${limits}.` : ''}`,
};
