import { Check, CircleSlash, Download, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useLaunch } from '@/api/results';
import type { Attempt, ReadBack } from '@/api/types';
import { Button } from '@/components/Button';
import { Panel } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { cx } from '@/components/cx';
import { Loaded } from '@/components/States';
import { NONE } from '@/format';
import { saveFile } from '@/plots/save';
import { experiment as words } from '@/text/experiment';

interface CommandTabProps {
  task: string;
  number: number;
  attempt: Attempt | undefined;
}

/** How it was started, how to start it elsewhere, and whether the flags reached the engine. */
export function CommandTab({ task, number, attempt }: CommandTabProps) {
  const launch = useLaunch(task, number);
  const { command, warnings, read_back } = attempt?.evidence ?? {};
  return (
    <div className="space-y-3">
      {command && (
        <Panel title={words.effective} note={words.effectiveNote}>
          <CodeBlock text={command} label={words.effective} wrap />
        </Panel>
      )}
      {warnings && warnings.length > 0 && (
        <Panel title={words.warnings}>
          <ul className="space-y-1">
            {warnings.map((warning) => (
              <li key={warning} className="flex items-start gap-2 [overflow-wrap:anywhere]">
                <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
                {warning}
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {attempt && <ReadBackPanel list={read_back ?? []} />}
      <Loaded of={launch}>
        {(how) => (
          <>
            {how.command ? (
              <Panel title={words.wouldStart} note={words.wouldStartNote}>
                <CodeBlock text={how.command} label={words.wouldStart} wrap />
              </Panel>
            ) : (
              <Panel title={words.wouldStart}>
                <p className="text-muted">{words.noCommand}</p>
              </Panel>
            )}
            <div className="grid gap-3 xl:grid-cols-2">
              {how.compose && (
                <FilePanel title={words.compose} text={how.compose} name="compose.yaml" image={how.image} />
              )}
              {how.kubernetes && (
                <FilePanel title={words.kubernetes} text={how.kubernetes} name="kubernetes.yaml" image={how.image} />
              )}
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}

interface FilePanelProps {
  title: string;
  text: string;
  name: string;
  image: string | null | undefined;
}

function FilePanel({ title, text, name, image }: FilePanelProps) {
  return (
    <Panel
      title={title}
      note={image && image !== 'IMAGE' ? image : undefined}
      actions={
        <Button
          size="sm"
          tone="quiet"
          icon={<Download aria-hidden className="size-3.5" />}
          onClick={() => saveFile(name, text, 'application/yaml')}
        >
          {words.download}
        </Button>
      }
    >
      {image === 'IMAGE' && <p className="mb-2 text-xs text-warn">{words.imagePlaceholder}</p>}
      <CodeBlock text={text} label={title} maxHeight="24rem" />
    </Panel>
  );
}

const LOOKS: Record<ReadBack['verdict'], [icon: typeof Check, colour: string]> = {
  different: [TriangleAlert, 'text-bad font-medium'],
  not_reported: [CircleSlash, 'text-muted'],
  proven: [Check, 'text-ok'],
};
const ORDER: ReadBack['verdict'][] = ['different', 'not_reported', 'proven'];

function ReadBackPanel({ list }: { list: readonly ReadBack[] }) {
  const sorted = [...list].sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  const different = list.filter((one) => one.verdict === 'different').length;
  const isAllProven = list.length > 0 && list.every((one) => one.verdict === 'proven');
  return (
    <Panel title={words.readBack} note={words.readBackNote} flush>
      {list.length === 0 && <p className="p-3 text-muted">{words.readBackNone}</p>}
      {different > 0 && <p className="px-3 pt-2 font-medium text-bad">{words.someDiffer(different)}</p>}
      {isAllProven && <p className="px-3 pt-2 text-ok">{words.allProven(list.length)}</p>}
      {list.length > 0 && (
        <div className="max-h-96 overflow-auto" tabIndex={0} role="region" aria-label={words.readBack}>
          <table className="w-full text-left">
            <thead>
              <tr className="border-b border-line text-xs text-muted">
                {[words.parameter, words.asked, words.reported, words.readBackVerdict].map((name) => (
                  <th key={name} scope="col" className="px-3 py-1.5 font-medium">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {sorted.map((one) => (
                <ReadBackRow key={one.name} one={one} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function ReadBackRow({ one }: { one: ReadBack }) {
  const [Icon, colour] = LOOKS[one.verdict];
  const mono = (text: ReactNode) => (
    <td className="px-3 py-1 font-mono text-xs [overflow-wrap:anywhere]">{text ?? NONE}</td>
  );
  return (
    <tr className="border-b border-line/60 last:border-0">
      {mono(one.name)}
      {mono(one.asked)}
      {mono(one.reported)}
      <td className="px-3 py-1">
        <span className={cx('inline-flex items-center gap-1 whitespace-nowrap', colour)}>
          <Icon aria-hidden className="size-3.5" />
          {words.readBackVerdicts[one.verdict]}
        </span>
      </td>
    </tr>
  );
}
