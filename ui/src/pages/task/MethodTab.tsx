import type { Report } from '@/api/types';
import { Panel } from '@/components/Card';
import { KeyValues } from '@/components/KeyValues';
import { task as words } from '@/text/task';

/** What was remarked of measurements, each once with how often. */
export function remarksOf(report: Report): [text: string, n: number][] {
  const found = new Map<string, number>();
  for (const { remarks } of report.experiments) {
    for (const remark of new Set(remarks)) found.set(remark, (found.get(remark) ?? 0) + 1);
  }
  return [...found].sort((a, b) => b[1] - a[1]);
}

/** How the task was measured, and how the figures of this page come about. */
export function MethodTab({ report }: { report: Report }) {
  const remarks = remarksOf(report);
  const { method } = words;
  return (
    <div className="grid gap-3 xl:grid-cols-2 [&>*]:min-w-0">
      <Panel title={method.title}>
        <KeyValues
          pairs={[
            { label: method.objectives, value: report.objectives.join('; ') },
            { label: method.slos, value: report.slos.join('; ') },
            ...report.method.map(({ name, value }) => ({ label: name, value })),
            { label: method.title2, value: method.version(report.tuner_version) },
          ]}
        />
      </Panel>
      <div className="space-y-3">
        {remarks.length > 0 && (
          <Panel title={method.remarks}>
            <ul className="list-disc space-y-1 pl-5">
              {remarks.map(([text, n]) => (
                <li key={text} className="[overflow-wrap:anywhere]">
                  {method.remark(text, n)}
                </li>
              ))}
            </ul>
          </Panel>
        )}
        <Panel title={method.importance}>
          <ul className="list-disc space-y-1 pl-5 text-muted">
            {method.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </Panel>
      </div>
    </div>
  );
}
