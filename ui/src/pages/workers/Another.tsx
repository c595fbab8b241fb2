import { useInfo } from '@/api/system';
import { Panel } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { workers as text } from '@/text/workers';

/** A word of a shell's command line. */
function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** How to start one more worker, here or elsewhere. */
export function Another() {
  const { data } = useInfo();
  const dir = shellWord(data?.data_dir ?? 'DIR');
  const ways: [string, string][] = [
    [text.here, `autotuner worker --data-dir ${dir}`],
    [text.hereServer, `autotuner serve --workers 2 \\\n  --data-dir ${dir}`],
    [
      text.elsewhere,
      'export AUTOTUNER_DATABASE=\\\npostgres://USER:PASSWORD@HOST/NAME\nautotuner worker --slots 2 --label zone=a',
    ],
  ];
  return (
    <Panel title={text.another}>
      <div className="grid gap-4 lg:grid-cols-3">
        {ways.map(([words, command]) => (
          <div key={words} className="min-w-0 space-y-1">
            <p className="text-muted">{words}</p>
            <CodeBlock text={command} label={words} wrap />
          </div>
        ))}
      </div>
      <p className="mt-2 text-xs text-faint">{text.elsewhereNote}</p>
    </Panel>
  );
}
