import { CircleAlert, CircleCheck, CircleEqual, CircleX, Download, type LucideIcon } from 'lucide-react';
import { type ReportFormat, readReport } from '@/api/results';
import type { Report, TaskDetail } from '@/api/types';
import { toastError } from '@/app/toasts';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { Menu } from '@/components/Menu';
import { Skeleton } from '@/components/States';
import type { PlotTask } from '@/plots/data/points';
import { saveFile } from '@/plots/save';
import { task as words } from '@/text/task';
import { Changes } from './Changes';
import { Gain } from './Gain';
import { Margins } from './Margins';
import { RunIt } from './RunIt';

const LOOKS: Record<string, [LucideIcon, string]> = {
  better: [CircleCheck, 'text-ok'],
  no_significant_difference: [CircleEqual, 'text-muted'],
  worse: [CircleX, 'text-bad'],
  not_verified: [CircleAlert, 'text-warn'],
  no_result: [CircleX, 'text-bad'],
};

interface VerdictProps {
  task: TaskDetail;
  plot: PlotTask;
  report: Report | undefined;
}

/** The answer first: what was gained and how sure that is, whether the SLOs hold, what to change, what to run. */
export function VerdictPanel({ task, plot, report: read }: VerdictProps) {
  const { verdict } = task;
  // The end is told before the report of it is there: the one from before says that the task goes on.
  const report = task.verdict && read?.finished === false ? undefined : read;
  const told = report?.verdict;
  const decision = told?.decision ?? verdict?.decision ?? 'no_result';
  const [Icon, colour] = LOOKS[decision] ?? [CircleAlert, 'text-warn'];
  const known =
    verdict && verdict.decision !== 'better' ? words.verdict[verdict.decision as 'worse'] : plot.objective.label;
  const recommended = verdict?.recommended ?? null;
  const end = verdict?.search_end;
  // Where nothing could be measured there is nothing to compare.
  const compared = verdict && (verdict.best !== null || recommended !== null) ? verdict : null;
  const isTold = task.failure && told?.sentence.includes(task.failure);
  return (
    <Panel
      title={words.verdict.title}
      note={end ? words.verdict.endReasons[end] : undefined}
      actions={<Downloads task={task} />}
    >
      <div className="grid gap-x-8 gap-y-4 md:grid-cols-2 xl:grid-cols-[1.5fr_1fr_1.1fr]">
        <div className="flex min-w-0 gap-3 md:col-span-2 xl:col-span-1">
          <Icon aria-hidden className={`mt-0.5 size-6 shrink-0 ${colour}`} />
          <div className="min-w-0">
            <p className="text-xl font-semibold tracking-tight [overflow-wrap:anywhere]">{told?.title ?? known}</p>
            {told ? (
              <>
                <p className="mt-1 max-w-prose">{told.sentence}</p>
                <p className="max-w-prose text-muted">{told.advice}</p>
              </>
            ) : (
              <p className="text-faint">{verdict?.reason ?? task.failure ?? words.verdict.reading}</p>
            )}
            {task.failure && told && !isTold && (
              <p className="mt-1 text-bad [overflow-wrap:anywhere]">{task.failure}</p>
            )}
            {compared && (
              <div className="mt-3">
                <Gain task={plot} verdict={compared} />
              </div>
            )}
          </div>
        </div>
        {compared && (
          <>
            <div className="min-w-0">
              <h3 className="mb-1 text-xs text-muted">{words.slos.title}</h3>
              <Margins task={plot} verdict={compared} />
            </div>
            <div className="min-w-0">
              <h3 className="mb-1 text-xs text-muted">{report?.changes_title ?? words.changes.best}</h3>
              {report ? <Changes changes={report.changes} /> : <Skeleton lines={3} />}
            </div>
          </>
        )}
      </div>
      {recommended !== null && (
        <div className="mt-3 border-t border-line pt-2">
          <RunIt
            task={task.id}
            name={task.name}
            number={recommended}
            title={recommended === plot.baseline ? words.run.ofBaseline(recommended) : words.run.of(recommended)}
          />
        </div>
      )}
      {told && told.numbers.length > 0 && (
        <details className="mt-3">
          <summary className="w-fit text-accent">{words.verdict.numbers}</summary>
          <ul className="mt-1 list-disc space-y-0.5 pl-5 text-xs text-muted">
            {told.numbers.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

const TYPES: Record<ReportFormat, [ending: string, type: string]> = {
  html: ['html', 'text/html'],
  markdown: ['md', 'text/markdown'],
  json: ['json', 'application/json'],
};

function Downloads({ task }: { task: TaskDetail }) {
  const save = async (format: ReportFormat) => {
    const [ending, type] = TYPES[format];
    try {
      saveFile(`${task.name}.${ending}`, await readReport(task.id, format), type);
    } catch (error) {
      toastError(error, words.verdict.downloadFailed);
    }
  };
  return (
    <Menu
      items={(['html', 'markdown', 'json'] as const).map((format) => ({
        label: words.verdict[format],
        onSelect: () => void save(format),
      }))}
    >
      <Button size="sm" icon={<Download aria-hidden className="size-4" />}>
        {words.verdict.download}
      </Button>
    </Menu>
  );
}
