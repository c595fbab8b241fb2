import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { type ImportBackend, useValidation } from '@/api/documents';
import { useEngineParameters } from '@/api/engines';
import { usePresets } from '@/api/presets';
import { useTaskNamed } from '@/api/tasks';
import type { TaskDetail } from '@/api/types';
import { SplitPane } from '@/components/SplitPane';
import type { CodeHandle } from '@/document/code/CodeEditor';
import { FormProvider } from '@/document/form';
import { lint } from '@/document/lint';
import type { Schema } from '@/document/schema';
import { DocumentStore, useDocumentState } from '@/document/store';
import { editor as words } from '@/text/editor';
import { readDraft, useDraft } from './draft';
import { EditorHead } from './EditorHead';
import { FileDrop } from './FileDrop';
import { FormPane } from './FormPane';
import { ImportPanel, type Translation } from './ImportPanel';
import { type Around, AroundProvider } from './knowledge';
import { DraftNote, ProblemNote, SaveProblem } from './Notes';
import { Standing } from './Standing';
import { StepNav } from './StepNav';
import type { Search, View } from './search';
import { type StepId, stepOf, stepStates } from './steps';
import { documentOf } from './translate';
import { useDebounced } from './useDebounced';
import { useLeaveGuard, useSave } from './useSave';
import { YamlPane } from './YamlPane';

export interface EditorProps {
  schema: Schema;
  /** What is edited, before any change. */
  base: string;
  /** Names the draft that is kept in this browser. */
  scope: string;
  title: string;
  note?: string;
  /** The task whose next revision this is. */
  task?: TaskDetail;
  /** A text that came from elsewhere: it is what is edited, and undo leads back. */
  arrived?: string;
}

const REST_MS = 350;

export function Editor(props: EditorProps) {
  const { schema, base: given, scope, task } = props;
  // What the server says of the task may change while it is edited; what is edited does not.
  const [base] = useState(given);
  const [draft, setDraft] = useState(() => readDraft(scope));
  const [store] = useState(() => {
    const made = new DocumentStore(draft?.text ?? base);
    if (props.arrived !== undefined) made.set(props.arrived, 'open');
    return made;
  });
  const state = useDocumentState(store);
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const view: View = search.view ?? 'both';
  const step: StepId = search.step ?? 'basics';
  const show = (next: Partial<Search>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });

  const [backend, setBackend] = useState<ImportBackend | undefined>();
  const rested = useDebounced(state.text, REST_MS);
  const validation = useValidation(rested, backend);
  const answer = validation.data;
  const local = useMemo(() => lint(state.parsed, schema), [state.parsed, schema]);
  const isImport = answer?.of === state.text ? answer.imported : looksForeign(state.parsed.value);
  const findings = answer && !validation.error ? answer.findings : isImport ? NONE : local;
  const isFresh = answer?.of === state.text && !validation.isPlaceholderData;
  const validText = isFresh && answer.valid && !answer.imported ? state.text : null;

  const engine = String((state.parsed.value.engine as { name?: unknown } | undefined)?.name ?? '');
  const isKnown = KNOWN_ENGINES.includes(engine);
  const catalogue = useEngineParameters(isKnown ? engine : '').data;
  const presets = usePresets().data;
  const knowledge = useMemo(
    () => ({ schema, catalogue, presets: presets?.map((one) => one.name) }),
    [schema, catalogue, presets],
  );

  const name = String(state.parsed.value.name ?? '');
  const named = useTaskNamed(useDebounced(name, REST_MS)).data;
  const save = useSave({ task, scope, store, onInvalid: () => show({ step: 'review' }) });
  const isTaken = save.takenName === name || (named && named !== task?.id);
  const around = useMemo<Around>(
    () => ({ engine, catalogue, validText, nameTaken: isTaken ? words.nameTaken : null }),
    [engine, catalogue, validText, isTaken],
  );
  useDraft(scope, state.text, base, save.isDone);
  useLeaveGuard(state.text !== base && !save.isDone);

  const code = useRef<CodeHandle>(null);
  const goTo = (line: number, column: number, field?: string) => {
    if (field) show({ step: stepOf(field) });
    if (view !== 'form') code.current?.goTo(line, column);
  };

  const [translation, setTranslation] = useState<Translation | null>(null);
  const [arrived, setArrived] = useState<string | null>(props.arrived ?? null);
  const translate = () => {
    if (!answer?.valid) return;
    setTranslation({ notes: answer.findings, original: state.text });
    setArrived(null);
    setBackend(undefined);
    store.set(documentOf(answer.raw, 'task'), 'import');
  };
  const latest = useRef(translate);
  latest.current = translate;
  // A file that was opened is translated at once where nothing is in the way.
  useEffect(() => {
    if (isFresh && answer.imported && answer.valid && answer.of === arrived) latest.current();
  }, [isFresh, answer, arrived]);
  const openText = (text: string) => {
    setTranslation(null);
    setBackend(undefined);
    setArrived(text);
    store.set(text, 'open');
  };

  const states = stepStates(findings);
  const isDisabled = state.parsed.problem !== null || isImport;
  const form = (
    <FormPane
      step={step}
      onStep={(next) => show({ step: next })}
      disabled={isDisabled}
      validation={answer}
      onGo={goTo}
    />
  );
  const yaml = (
    <YamlPane
      store={store}
      findings={findings}
      remarks={answer?.remarks ?? []}
      knowledge={knowledge}
      handle={code}
      onGo={goTo}
    />
  );
  return (
    <FormProvider store={store} schema={schema} findings={findings}>
      <AroundProvider value={around}>
        <FileDrop onText={openText}>
          <EditorHead
            {...props}
            view={view}
            onView={(next) => show({ view: next === 'both' ? undefined : next })}
            store={store}
            onText={openText}
            save={save}
            canSave={validText !== null && (task === undefined || state.text !== base)}
          />
          <Standing
            answer={answer}
            isChecking={!isFresh}
            unchecked={validation.error && { error: validation.error, retry: () => void validation.refetch() }}
            isUnchanged={task !== undefined && state.text === base}
          />
          <div className="space-y-3">
            <SaveProblem error={save.error} />
            {draft && state.text === draft.text && (
              <DraftNote
                at={draft.at}
                isOlder={draft.base !== base}
                onDiscard={() => {
                  setDraft(null);
                  store.set(base, 'draft');
                }}
              />
            )}
            <ImportPanel
              isImport={isImport}
              answer={isFresh ? answer : undefined}
              backend={backend}
              onBackend={setBackend}
              onTranslate={translate}
              translation={translation}
              onDismiss={() => setTranslation(null)}
              onGo={goTo}
            />
            {state.parsed.problem && <ProblemNote problem={state.parsed.problem} onGo={goTo} />}
          </div>
          <StepNav step={step} states={states} onStep={(next) => show({ step: next })} hidden={view === 'yaml'} />
          {view === 'form' ? form : view === 'yaml' ? <div>{yaml}</div> : <Both form={form} yaml={yaml} />}
        </FileDrop>
      </AroundProvider>
    </FormProvider>
  );
}

const NONE: never[] = [];
const KNOWN_ENGINES = ['sglang', 'vllm', 'tensorrt-llm', 'llama.cpp', 'simulated'];

/** Before the server has answered: the predecessor's fields cannot be mistaken. */
function looksForeign(value: Record<string, unknown>): boolean {
  return 'task_name' in value && 'base_runtime' in value;
}

function Both({ form, yaml }: { form: React.ReactNode; yaml: React.ReactNode }) {
  return <SplitPane first={form} second={<div className="hidden lg:block">{yaml}</div>} initial={56} least={30} />;
}
