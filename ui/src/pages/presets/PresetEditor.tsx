import { useNavigate } from '@tanstack/react-router';
import { Save } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useValidation } from '@/api/documents';
import { useEngineParameters } from '@/api/engines';
import type { ApiError } from '@/api/error';
import { useChangePreset, useCreatePreset, usePresets } from '@/api/presets';
import { Button } from '@/components/Button';
import { PageHead } from '@/components/Card';
import { SplitPane } from '@/components/SplitPane';
import type { CodeHandle } from '@/document/code/CodeEditor';
import { FormProvider } from '@/document/form';
import { lint } from '@/document/lint';
import type { Schema } from '@/document/schema';
import { DocumentStore, useDocumentState } from '@/document/store';
import { dropDraft, readDraft, useDraft } from '@/pages/editor/draft';
import { DraftNote, ProblemNote, SaveProblem } from '@/pages/editor/Notes';
import { useDebounced } from '@/pages/editor/useDebounced';
import { useLeaveGuard } from '@/pages/editor/useSave';
import { YamlPane } from '@/pages/editor/YamlPane';
import { common } from '@/text/common';
import { presets as words } from '@/text/presets';
import { carrierTask, presetFindings, presetSchema } from './document';
import { PresetForm } from './PresetForm';

interface PresetEditorProps {
  /** The schema of task files, which has that of parameters. */
  task: Schema;
  base: string;
  scope: string;
  title: string;
  /** The stored preset that is changed. */
  edit?: string;
}

const REST_MS = 350;

/** A preset as a form and as text. */
export function PresetEditor({ task, base: given, scope, title, edit }: PresetEditorProps) {
  const navigate = useNavigate();
  const schema = useMemo(() => presetSchema(task), [task]);
  const [base] = useState(given);
  const [draft, setDraft] = useState(() => readDraft(scope));
  const [store] = useState(() => new DocumentStore(draft?.text ?? base));
  const state = useDocumentState(store);
  const { parsed, text } = state;
  const engine = typeof parsed.value.engine === 'string' ? parsed.value.engine : '';
  const isKnown = schema.$defs?.EngineName?.oneOf?.some((one) => one.const === engine) ?? false;
  const catalogue = useEngineParameters(isKnown ? engine : '').data;
  const rested = useDebounced(parsed.problem ? null : carrierTask(parsed.value), REST_MS);
  const told = useValidation(rested).data?.findings;
  const [refused, setRefused] = useState<ApiError | null>(null);
  const findings = useMemo(() => {
    const own = lint(parsed, schema);
    return own.length > 0 || !told ? own : presetFindings(told, parsed);
  }, [parsed, schema, told]);
  const wrong = findings.some(({ severity }) => severity === 'error');

  const name = String(parsed.value.name ?? '');
  const taken = usePresets().data?.some((one) => one.name === name && name !== edit) ?? false;
  const create = useCreatePreset();
  const change = useChangePreset();
  const [isDone, setDone] = useState(false);
  useDraft(scope, text, base, isDone);
  useLeaveGuard(text !== base && !isDone, true);
  const leave = (open?: string) =>
    navigate({
      to: '/presets',
      search: open ? { open } : {},
      replace: open !== undefined,
      ignoreBlocker: open !== undefined,
    });
  const save = async () => {
    setRefused(null);
    try {
      const made = await (edit ? change.mutateAsync({ preset: edit, text }) : create.mutateAsync(text));
      setDone(true);
      dropDraft(scope);
      await leave(made.name);
    } catch (thrown) {
      setRefused(thrown as ApiError);
    }
  };
  const code = useRef<CodeHandle>(null);
  const goTo = (line: number, column: number) => code.current?.goTo(line, column);
  const knowledge = useMemo(() => ({ schema, catalogue }), [schema, catalogue]);
  const busy = create.isPending || change.isPending;
  const blocked = parsed.problem !== null || wrong || taken || name === '' || (edit !== undefined && text === base);
  return (
    <FormProvider store={store} schema={schema} findings={findings}>
      <PageHead
        title={title}
        actions={
          <>
            <Button onClick={() => void leave()}>{common.cancel}</Button>
            <Button
              tone="primary"
              icon={<Save aria-hidden className="size-4" />}
              disabled={blocked}
              busy={busy}
              onClick={() => void save()}
            >
              {common.save}
            </Button>
          </>
        }
      />
      <SaveProblem error={refused} />
      {draft && text === draft.text && (
        <DraftNote
          at={draft.at}
          isOlder={draft.base !== base}
          onDiscard={() => {
            setDraft(null);
            store.set(base, 'draft');
          }}
        />
      )}
      {parsed.problem && <ProblemNote problem={parsed.problem} onGo={goTo} />}
      <SplitPane
        initial={56}
        least={30}
        first={
          <PresetForm
            engine={engine}
            catalogue={catalogue}
            disabled={parsed.problem !== null}
            nameProblem={taken ? words.nameTaken : null}
          />
        }
        second={
          <div>
            <YamlPane
              store={store}
              title={words.document}
              findings={refused?.findings ?? findings}
              remarks={[]}
              knowledge={knowledge}
              handle={code}
              onGo={goTo}
            />
          </div>
        }
      />
    </FormProvider>
  );
}
