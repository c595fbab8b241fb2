import { Download } from 'lucide-react';
import { useState } from 'react';
import { useLaunch } from '@/api/results';
import { IconButton } from '@/components/Button';
import { CodeBlock } from '@/components/Copy';
import { Loaded } from '@/components/States';
import { Tabs } from '@/components/Tabs';
import { saveFile } from '@/plots/save';
import { task as words } from '@/text/task';

/** How to start a configuration: a command here, files for elsewhere. */
export function RunIt({ task, name, number }: { task: string; name: string; number: number }) {
  const launch = useLaunch(task, number);
  const [form, setForm] = useState('command');
  return (
    <Loaded of={launch}>
      {({ command, compose, kubernetes, image }) => {
        const forms = [
          { value: 'command', label: words.run.command, text: command, file: `${name}.sh` },
          { value: 'compose', label: words.run.compose, text: compose, file: 'compose.yaml' },
          { value: 'kubernetes', label: words.run.kubernetes, text: kubernetes, file: `${name}-kubernetes.yaml` },
        ].filter((it): it is typeof it & { text: string } => typeof it.text === 'string');
        if (forms.length === 0) return <p className="text-muted">{words.run.none}</p>;
        return (
          <Tabs
            label={words.run.form}
            value={forms.some(({ value }) => value === form) ? form : (forms[0]?.value ?? '')}
            onChange={setForm}
            tabs={forms.map(({ value, label, text, file }) => ({
              value,
              label,
              content: (
                <div className="flex items-start gap-2">
                  <div className="min-w-0 flex-1">
                    <CodeBlock text={text.trimEnd()} label={label} wrap={value === 'command'} maxHeight="18rem" />
                    {value !== 'command' && image === 'IMAGE' && (
                      <p className="mt-1 text-xs text-muted">{words.run.image}</p>
                    )}
                  </div>
                  <IconButton
                    size="sm"
                    label={`${words.run.save}: ${file}`}
                    icon={<Download aria-hidden className="size-4" />}
                    onClick={() => saveFile(file, text)}
                  />
                </div>
              ),
            }))}
          />
        );
      }}
    </Loaded>
  );
}
