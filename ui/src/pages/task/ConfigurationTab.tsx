import { useEffect, useMemo, useState } from 'react';
import type { TaskDetail } from '@/api/types';
import { Panel } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { Tabs } from '@/components/Tabs';
import { YamlView } from '@/components/Tree';
import { task as words } from '@/text/task';
import { FieldTable } from './FieldTable';
import { Revisions } from './Revisions';
import { type Field, filledIn, type Json } from './specDiff';

/** What is asked for: as it was sent, with every default, and what changed from revision to revision. */
export function ConfigurationTab({ task }: { task: TaskDetail }) {
  const [form, setForm] = useState('sent');
  const { config } = words;
  return (
    <div className="grid gap-3 xl:grid-cols-2 [&>*]:min-w-0">
      <Panel title={words.tabs.configuration}>
        <Tabs
          label={config.form}
          value={form}
          onChange={setForm}
          tabs={[
            {
              value: 'sent',
              label: config.asSent,
              content: <CodeBlock text={task.source.trimEnd()} label={config.asSent} maxHeight="36rem" />,
            },
            {
              value: 'filled',
              label: config.filled,
              content: <YamlView value={task.task} label={config.filled} maxHeight="36rem" />,
            },
            { value: 'defaults', label: config.defaults, content: <Defaults task={task} /> },
          ]}
        />
      </Panel>
      <Revisions task={task} />
    </div>
  );
}

function Defaults({ task }: { task: TaskDetail }) {
  const sent = useParsed(task.source);
  const fields = useMemo<Field[] | null>(
    () => (sent === undefined || sent === null ? null : filledIn(sent, task.task as unknown as Json)),
    [sent, task.task],
  );
  if (sent === undefined) return null;
  if (fields === null) return <p className="text-muted">{words.config.unreadable}</p>;
  if (fields.length === 0) return <p className="text-muted">{words.config.noDefaults}</p>;
  return (
    <FieldTable
      heads={[words.config.field, words.config.value]}
      rows={fields.map(({ path, value }) => [path, value])}
      label={words.config.defaults}
    />
  );
}

/** A document as data; null where it is none. */
function useParsed(text: string): Json | undefined {
  const [parsed, setParsed] = useState<Json>();
  useEffect(() => {
    let wanted = true;
    void import('yaml').then(({ parse }) => {
      if (!wanted) return;
      try {
        const found = parse(text) as Json;
        setParsed(found !== null && typeof found === 'object' ? found : null);
      } catch {
        setParsed(null);
      }
    });
    return () => {
      wanted = false;
    };
  }, [text]);
  return parsed;
}
