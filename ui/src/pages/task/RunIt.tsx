import { Download } from 'lucide-react';
import { useState } from 'react';
import { useLaunch } from '@/api/results';
import { IconButton } from '@/components/Button';
import { CodeBlock } from '@/components/Copy';
import { Loaded } from '@/components/States';
import { saveFile } from '@/plots/save';
import { Pressed } from '@/plots/tools';
import { task as words } from '@/text/task';

interface RunItProps {
  task: string;
  name: string;
  number: number;
  /** Which configuration it is, in words. */
  title: string;
}

/** How to start a configuration: a command here, files for elsewhere. */
export function RunIt({ task, name, number, title }: RunItProps) {
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
        const shown = forms.find(({ value }) => value === form) ?? forms[0];
        if (!shown) return <p className="text-muted">{words.run.none}</p>;
        return (
          <section aria-label={words.run.title}>
            <div className="mb-1.5 flex flex-wrap items-center gap-x-3 gap-y-1">
              <h3 className="min-w-0">
                <span className="font-medium">{words.run.title}</span>{' '}
                <span className="text-xs text-muted">{title}</span>
              </h3>
              <div role="group" aria-label={words.run.form} className="ml-auto flex gap-1">
                {forms.map(({ value, label }) => (
                  <Pressed key={value} label={label} on={value === shown.value} onChange={() => setForm(value)} />
                ))}
              </div>
              <IconButton
                size="sm"
                label={`${words.run.save}: ${shown.file}`}
                icon={<Download aria-hidden className="size-4" />}
                onClick={() => saveFile(shown.file, shown.text)}
              />
            </div>
            <CodeBlock
              text={shown.text.trimEnd()}
              label={shown.label}
              wrap={shown.value === 'command'}
              maxHeight="18rem"
            />
            {shown.value !== 'command' && image === 'IMAGE' && (
              <p className="mt-1 text-xs text-muted">{words.run.image}</p>
            )}
          </section>
        );
      }}
    </Loaded>
  );
}
