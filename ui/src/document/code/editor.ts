/** The text editor: loaded when it is first shown. */
import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState, type Text } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
  rectangularSelection,
  tooltips,
} from '@codemirror/view';
import type { Finding } from '@/api/error';
import { documents as words } from '@/text/documents';
import { hoverAt, type Knowledge, optionsAt } from './complete';
import { look } from './theme';

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  label: string;
  onText: (text: string) => void;
  onUndo: () => void;
  onRedo: () => void;
  knowledge: () => Knowledge | null;
}

export interface Editor {
  /** Shows another text; what is the same in both stays, and so do cursor and folds there. */
  setText: (text: string) => void;
  setFindings: (findings: readonly Finding[]) => void;
  setReadOnly: (readOnly: boolean) => void;
  goTo: (line: number, column: number) => void;
  destroy: () => void;
}

const FromOutside = Annotation.define<boolean>();

/** Puts the editor into the page. Undo is the document's, so that it takes back what the form did too. */
export function mountEditor({ parent, text, label, onText, onUndo, onRedo, knowledge }: EditorOptions): Editor {
  const readOnly = new Compartment();
  const back = () => {
    onUndo();
    return true;
  };
  const again = () => {
    onRedo();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        highlightActiveLineGutter(),
        lintGutter(),
        foldGutter(),
        drawSelection(),
        rectangularSelection(),
        EditorState.allowMultipleSelections.of(true),
        indentOnInput(),
        indentUnit.of('  '),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        yaml(),
        look,
        tooltips({ position: 'fixed', parent: document.body }),
        autocompletion({ override: [(context) => complete(context, knowledge())], icons: false }),
        hoverTooltip((from, position) => hover(from.state.doc, position, knowledge())),
        readOnly.of(EditorState.readOnly.of(false)),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false', tabindex: '0' }),
        keymap.of([
          { key: 'Mod-z', run: back, preventDefault: true },
          { key: 'Mod-y', run: again, mac: 'Mod-Shift-z', preventDefault: true },
          { key: 'Mod-Shift-z', run: again, preventDefault: true },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...searchKeymap,
          ...foldKeymap,
          ...lintKeymap,
          ...defaultKeymap,
          // Escape, then Tab leaves the editor.
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged || update.transactions.some((one) => one.annotation(FromOutside))) return;
          onText(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText: (next) => {
      const changes = difference(view.state.doc.toString(), next);
      if (changes) view.dispatch({ changes, annotations: FromOutside.of(true) });
    },
    setFindings: (findings) => {
      const { doc } = view.state;
      view.dispatch(
        setDiagnostics(
          view.state,
          findings.map((finding) => diagnostic(finding, doc)).sort((a, b) => a.from - b.from),
        ),
      );
    },
    setReadOnly: (is) => view.dispatch({ effects: readOnly.reconfigure(EditorState.readOnly.of(is)) }),
    goTo: (line, column) => {
      const at = offsetOf(view.state.doc, line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

function offsetOf(doc: Text, line: number, column: number): number {
  const at = doc.line(Math.max(1, Math.min(doc.lines, line)));
  // Columns count characters, offsets count units of UTF-16.
  const before = [...at.text].slice(0, Math.max(0, column - 1)).join('').length;
  return Math.min(at.to, at.from + before);
}

/** The part in which two texts differ. */
function difference(old: string, next: string): { from: number; to: number; insert: string } | null {
  if (old === next) return null;
  const most = Math.min(old.length, next.length);
  let head = 0;
  while (head < most && old[head] === next[head]) head++;
  let tail = 0;
  while (tail < most - head && old[old.length - 1 - tail] === next[next.length - 1 - tail]) tail++;
  return { from: head, to: old.length - tail, insert: next.slice(head, next.length - tail) };
}

function diagnostic(finding: Finding, doc: Text): Diagnostic {
  const from = offsetOf(doc, finding.line, finding.column);
  const to = Math.max(from, offsetOf(doc, finding.line, finding.column + Math.max(1, finding.length)));
  const { suggestion } = finding;
  return {
    from,
    to,
    severity: finding.severity === 'error' ? 'error' : 'info',
    message: [finding.message, finding.allowed && words.allowed(finding.allowed), finding.help]
      .filter(Boolean)
      .join('\n'),
    actions: suggestion
      ? [
          {
            name: words.use(suggestion),
            apply: (view, start, end) => view.dispatch({ changes: { from: start, to: end, insert: suggestion } }),
          },
        ]
      : [],
  };
}

function complete(context: CompletionContext, known: Knowledge | null): CompletionResult | null {
  if (!known) return null;
  const { state, pos, explicit } = context;
  const word = context.matchBefore(/[\w./-]+$/);
  // A new line offers nothing by itself; what stands behind a colon does.
  if (!explicit && !word && !context.matchBefore(/[:[{,-]\s+$/)) return null;
  const found = optionsAt(state.doc.toString(), pos, known);
  if (!found) return null;
  return {
    from: found.from,
    options: found.options.map((option) => ({
      label: option.label,
      apply: option.apply,
      detail: option.detail,
      info: option.help?.replaceAll('`', ''),
      boost: option.boost,
    })),
    validFor: /^[\w./-]*$/,
  };
}

function hover(doc: Text, position: number, known: Knowledge | null) {
  const found = known && hoverAt(doc.toString(), position, known);
  if (!found) return null;
  return {
    pos: position,
    create: () => {
      const dom = document.createElement('div');
      dom.style.padding = '6px 8px';
      const lines = [found.title, found.help.replaceAll('`', ''), ...found.more];
      lines.forEach((line, index) => {
        const part = document.createElement('div');
        part.textContent = line;
        part.style.fontWeight = index === 0 ? '600' : '400';
        if (index > 1) part.style.color = 'var(--muted)';
        dom.append(part);
      });
      return { dom };
    },
  };
}
