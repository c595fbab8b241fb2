import { Link } from '@tanstack/react-router';
import { CircleAlert, Download, FilePlus2, FolderOpen, Play, Save as SaveIcon } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useMay } from '@/api/role';
import type { TaskDetail } from '@/api/types';
import { Button, IconButton } from '@/components/Button';
import { PageHead } from '@/components/Card';
import { Menu } from '@/components/Menu';
import { Segmented } from '@/components/Segmented';
import type { DocumentStore } from '@/document/store';
import { saveFile } from '@/plots/save';
import { editor as words } from '@/text/editor';
import type { EditorProps } from './Editor';
import { fileText } from './FileDrop';
import { Note } from './Notes';
import type { View } from './search';
import { SIMULATED } from './template';
import { useIsWide } from './useIsWide';
import type { Save } from './useSave';

interface EditorHeadProps extends EditorProps {
  view: View;
  onView: (view: View) => void;
  store: DocumentStore;
  onText: (text: string) => void;
  save: Save;
  canSave: boolean;
}

const ICON = 'size-4';

/** What is edited, what can be done with it, and how it stands. */
export function EditorHead(props: EditorHeadProps) {
  const { title, note, task, save, canSave, view, onView, store, onText } = props;
  const may = useMay();
  const isWide = useIsWide();
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
              value={isWide || view !== 'both' ? view : 'form'}
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
      {task && <RunningNote task={task} />}
    </>
  );
}

/** A task under way cannot be changed; a copy can. */
function RunningNote({ task }: { task: TaskDetail }) {
  if (task.status !== 'running' && task.status !== 'cancelling') return null;
  return (
    <Note tone="warn" icon={<CircleAlert aria-hidden className="size-4 text-warn" />}>
      {words.running}{' '}
      <Link to="/tasks/new" search={{ from: task.id }} className="text-accent underline">
        {words.copyInstead}
      </Link>
    </Note>
  );
}
