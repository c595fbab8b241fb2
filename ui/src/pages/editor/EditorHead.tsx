import {
  Check,
  CircleAlert,
  Download,
  FilePlus2,
  FolderOpen,
  LoaderCircle,
  Play,
  Save as SaveIcon,
} from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useEstimate, type Validation } from '@/api/documents';
import { useMay } from '@/api/role';
import { Button, IconButton } from '@/components/Button';
import { PageHead } from '@/components/Card';
import { Menu } from '@/components/Menu';
import { Segmented } from '@/components/Segmented';
import type { DocumentStore } from '@/document/store';
import { count, duration } from '@/format';
import { saveFile } from '@/plots/save';
import { editor as words } from '@/text/editor';
import type { EditorProps } from './Editor';
import { combinations, gpuSeconds, spanText } from './Estimate';
import { fileText } from './FileDrop';
import { useAround } from './knowledge';
import type { View } from './search';
import { SIMULATED } from './template';
import type { Save } from './useSave';

interface EditorHeadProps extends EditorProps {
  view: View;
  onView: (view: View) => void;
  store: DocumentStore;
  onText: (text: string) => void;
  save: Save;
  canSave: boolean;
  isUnchanged: boolean;
  isChecking: boolean;
  answer: Validation | undefined;
}

const ICON = 'size-4';

/** What is edited, what can be done with it, and how it stands. */
export function EditorHead(props: EditorHeadProps) {
  const { title, note, task, save, canSave, view, onView, store, onText } = props;
  const may = useMay();
  const input = useRef<HTMLInputElement>(null);
  const run = useRef(save.run);
  run.current = save.run;
  const isOff = !canSave || !may || save.isBusy || save.isDone;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 's' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      if (!isOff) run.current(false);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [isOff]);
  const download = () => {
    const name = String(store.state.parsed.value.name ?? '') || 'task';
    saveFile(`${name}.yaml`, store.state.text, 'application/yaml');
  };
  const open = async (files: FileList | null) => {
    const file = files?.[0];
    const text = file && (await fileText(file));
    if (text !== undefined) onText(text);
  };
  return (
    <>
      <PageHead
        title={title}
        note={note && <span>{note}</span>}
        actions={
          <>
            <Segmented
              label={words.view}
              value={view}
              onChange={onView}
              options={[
                { value: 'form', label: words.views.form },
                { value: 'both', label: words.views.both, className: 'hidden lg:block' },
                { value: 'yaml', label: words.views.yaml },
              ]}
            />
            <Button icon={<FolderOpen aria-hidden className={ICON} />} onClick={() => input.current?.click()}>
              {words.open}
            </Button>
            <input
              ref={input}
              type="file"
              hidden
              aria-label={words.open}
              accept=".yaml,.yml,.json,.txt"
              onChange={(event) => {
                void open(event.target.files);
                event.target.value = '';
              }}
            />
            <Menu items={[{ label: words.example, onSelect: () => onText(SIMULATED) }]}>
              <IconButton tone="plain" label={words.examples} icon={<FilePlus2 aria-hidden className={ICON} />} />
            </Menu>
            <IconButton
              tone="plain"
              label={words.download}
              icon={<Download aria-hidden className={ICON} />}
              onClick={download}
            />
            <Button
              icon={<SaveIcon aria-hidden className={ICON} />}
              disabled={isOff}
              busy={save.isBusy}
              title={may ? undefined : words.mayNot}
              onClick={() => save.run(false)}
            >
              {task ? words.saveRevision : words.save}
            </Button>
            <Button
              tone="primary"
              icon={<Play aria-hidden className={ICON} />}
              disabled={isOff}
              title={may ? undefined : words.mayNot}
              onClick={() => save.run(true)}
            >
              {words.saveAndStart}
            </Button>
          </>
        }
      />
      {task && <p className="-mt-2 mb-3 text-muted">{words.revision(task.revision, task.revision + 1)}</p>}
      <Standing {...props} />
    </>
  );
}

/** In one line: valid or not, how much it is, how long it takes. */
function Standing({ answer, isChecking, isUnchanged }: EditorHeadProps) {
  const { validText } = useAround();
  const estimate = useEstimate(validText);
  const errors = answer?.findings.filter(({ severity }) => severity === 'error').length ?? 0;
  const cost = validText === null ? undefined : estimate.data;
  return (
    <div
      role="status"
      className="mb-3 flex min-h-8 flex-wrap items-center gap-x-5 gap-y-1 rounded-md border border-line bg-surface px-3 py-1.5"
    >
      {isChecking || !answer ? (
        <span className="flex items-center gap-1.5 text-muted">
          <LoaderCircle aria-hidden className="size-4 animate-spin" />
          {words.checking}
        </span>
      ) : errors > 0 || !answer.valid ? (
        <span className="flex items-center gap-1.5 text-bad">
          <CircleAlert aria-hidden className="size-4" />
          {errors > 0 ? words.errors(errors) : words.invalid}
        </span>
      ) : (
        <span className="flex items-center gap-1.5 text-ok">
          <Check aria-hidden className="size-4" />
          {words.valid}
        </span>
      )}
      {cost && (
        <>
          <Fact name={words.estimate.combinations} value={combinations(cost.configurations)} />
          <Fact
            name={words.estimate.experiments}
            value={words.estimate.sum(count(cost.search_experiments), count(cost.verification_experiments))}
          />
          <Fact name={words.estimate.wall} value={spanText(cost.wall_time_s, duration)} />
          {cost.gpu_seconds && <Fact name={words.estimate.gpuTime} value={spanText(cost.gpu_seconds, gpuSeconds)} />}
        </>
      )}
      {isUnchanged && <span className="text-faint">{words.unchanged}</span>}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <span>
      <span className="text-faint">{name}</span> {value}
    </span>
  );
}
