import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { api, ask } from '@/api/client';
import { type Inspection, type LengthSpread, useDatasets } from '@/api/datasets';
import { keys } from '@/api/keys';
import { ErrorView, Skeleton } from '@/components/States';
import { useForm } from '@/document/form';
import { isRecord } from '@/document/path';
import { count } from '@/format';
import { Chart } from '@/plots/Chart';
import type { PlotTheme } from '@/plots/theme';
import { editor as words } from '@/text/editor';
import { useDebounced } from '../useDebounced';
import { type Lengths, lengthsFound, lengthsOf } from './lengths';
import { lengthsOption, lengthsTable } from './lengthsOption';
import { DEFAULT_SCENARIO } from './ScenarioAt';
import { readScenario, type Scenario } from './scenario';
import { sourceOf } from './source';

interface Sides {
  input: Lengths | null;
  output: Lengths | null;
}

/** How long prompts and answers are: of the distribution, or as found in the data set. */
export function LengthsPlot() {
  const form = useForm();
  const workload = form.at(['workload']);
  const source = sourceOf(workload);
  if (source === 'dataset') return <DatasetLengths workload={workload as Record<string, unknown>} />;
  const scenario = source === 'scenario' ? scenarioOf(workload) : mixOf(workload);
  return <ScenarioLengths scenario={scenario} partial={source === 'classes' && hasDatasets(workload)} />;
}

function scenarioOf(workload: unknown): Scenario | null {
  const text = isRecord(workload) && typeof workload.scenario === 'string' ? workload.scenario : DEFAULT_SCENARIO;
  return readScenario(text);
}

function classesOf(workload: unknown): Record<string, unknown>[] {
  return isRecord(workload) && Array.isArray(workload.classes) ? workload.classes.filter(isRecord) : [];
}

const hasDatasets = (workload: unknown) =>
  classesOf(workload).some((one) => one.dataset !== undefined || one.prompts_file !== undefined);

/** The scenarios of all classes as one mix. */
function mixOf(workload: unknown): Scenario | null {
  const parts = classesOf(workload).flatMap((one) => {
    const scenario = typeof one.scenario === 'string' ? readScenario(one.scenario) : null;
    const weight = typeof one.weight === 'number' ? one.weight : 1;
    const total = scenario?.parts.reduce((sum, part) => sum + part.weight, 0) ?? 0;
    return scenario?.parts.map((part) => ({ ...part, weight: (part.weight / total) * weight })) ?? [];
  });
  return parts.length > 0 ? { parts } : null;
}

function ScenarioLengths({ scenario, partial }: { scenario: Scenario | null; partial: boolean }) {
  const word = JSON.stringify(scenario);
  const sides = useMemo<Sides>(() => {
    const read = JSON.parse(word) as Scenario | null;
    return { input: read && lengthsOf(read, 'input'), output: read && lengthsOf(read, 'output') };
  }, [word]);
  return <Plots sides={sides} note={partial ? words.workload.onlyOfThese : words.workload.ofDistribution} />;
}

function DatasetLengths({ workload }: { workload: Record<string, unknown> }) {
  const dataset = isRecord(workload.dataset) ? workload.dataset : { source: workload.prompts_file };
  const wanted = useDebounced(JSON.stringify(dataset), 500);
  const { data: kept } = useDatasets();
  const { source, from_s, to_s, max_context, limit } = JSON.parse(wanted) as Record<string, never>;
  const isKept = kept?.some((one) => one.name === source) ?? false;
  const found = useQuery({
    queryKey: [...keys.datasets, 'inspect', wanted],
    queryFn: ({ signal }) => {
      const body = { source: String(source), from_s, to_s, max_context, limit };
      return ask(api.POST('/api/datasets/inspect', { body, signal })) as unknown as Promise<Inspection>;
    },
    enabled: isKept,
  });
  const sides = useMemo<Sides>(() => {
    const of = (spread: LengthSpread | null | undefined) => (spread ? lengthsFound(spread) : null);
    return { input: of(found.data?.input_tokens), output: of(found.data?.output_tokens) };
  }, [found.data]);
  if (!source) return null;
  if (!isKept) return kept ? <p className="text-muted">{words.workload.notKept}</p> : <Skeleton lines={3} />;
  if (found.error) return <ErrorView error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton lines={4} />;
  return <Plots sides={sides} note={words.workload.ofRows(count(found.data.rows))} />;
}

function Plots({ sides, note }: { sides: Sides; note: string }) {
  if (!sides.input && !sides.output) return null;
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {sides.input && <Plot side="input" lengths={sides.input} note={note} />}
      {sides.output && <Plot side="output" lengths={sides.output} note={note} />}
    </div>
  );
}

const COLOURS = {
  input: (theme: PlotTheme) => theme.series[0],
  output: (theme: PlotTheme) => theme.series[1],
};

function Plot({ side, lengths, note }: { side: keyof Sides; lengths: Lengths; note: string }) {
  const option = useCallback((theme: PlotTheme) => lengthsOption(lengths, COLOURS[side], theme), [lengths, side]);
  const table = useMemo(() => lengthsTable(lengths), [lengths]);
  const [mean, p50, p99] = [count(lengths.mean), count(lengths.p50), count(lengths.p99)];
  return (
    <Chart
      title={words.workload.histograms[side]}
      note={words.workload.figures(mean, p99)}
      description={words.workload.lengthsSaid(note, mean, p50, p99)}
      option={option}
      table={table}
      fileName={`${side}-lengths`}
      height={180}
    />
  );
}
