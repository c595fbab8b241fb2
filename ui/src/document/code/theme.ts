import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** The look of the page, in the tokens of its theme. */
export const look = [
  EditorView.theme({
    '&': { height: '100%', fontSize: '12px', backgroundColor: 'var(--surface)', color: 'var(--ink)' },
    '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
    '.cm-scroller': {
      fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
      lineHeight: '1.5',
    },
    '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
    // The whole editor is outlined, not the text within it.
    '.cm-content:focus-visible': { outline: 'none' },
    '.cm-cursor': { borderLeftColor: 'var(--ink)' },
    '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--faint)', borderRight: '1px solid var(--line)' },
    '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--hover) 45%, transparent)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
      backgroundColor: 'var(--accent-soft)',
    },
    '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
      backgroundColor: 'var(--accent-soft)',
      outline: '1px solid var(--edge)',
    },
    '.cm-tooltip': {
      backgroundColor: 'var(--raised)',
      border: '1px solid var(--line)',
      borderRadius: '5px',
      boxShadow: 'var(--shadow)',
      color: 'var(--ink)',
      maxWidth: '30rem',
    },
    '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', maxHeight: '16rem' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
      backgroundColor: 'var(--accent-soft)',
      color: 'var(--ink)',
    },
    '.cm-completionDetail': { color: 'var(--faint)', fontStyle: 'normal', marginLeft: '1em' },
    '.cm-completionInfo': { padding: '6px 8px', maxWidth: '22rem', whiteSpace: 'normal' },
    '.cm-tooltip-lint': { padding: '2px 0' },
    '.cm-diagnostic': { borderLeftWidth: '3px', whiteSpace: 'normal' },
    '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
    '.cm-diagnostic-info': { borderLeftColor: 'var(--accent)' },
    '.cm-lintRange-error': {
      backgroundImage: 'none',
      textDecoration: 'underline wavy var(--bad)',
      textUnderlineOffset: '3px',
    },
    '.cm-lintRange-info': {
      backgroundImage: 'none',
      textDecoration: 'underline dotted var(--accent)',
      textUnderlineOffset: '3px',
    },
    '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--ink)', borderColor: 'var(--line)' },
    '.cm-textfield': {
      backgroundColor: 'var(--surface)',
      color: 'var(--ink)',
      border: '1px solid var(--edge)',
      borderRadius: '5px',
    },
    '.cm-button': {
      background: 'var(--surface)',
      color: 'var(--ink)',
      border: '1px solid var(--edge)',
      borderRadius: '5px',
    },
    '.cm-foldPlaceholder': { backgroundColor: 'var(--sunken)', color: 'var(--muted)', border: 'none' },
    '.cm-searchMatch': { backgroundColor: 'var(--warn-soft)' },
    '.cm-searchMatch-selected': { backgroundColor: 'var(--accent-soft)' },
  }),
  syntaxHighlighting(
    HighlightStyle.define([
      { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--accent)' },
      { tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)' },
      { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--warn)' },
      { tag: [tags.comment, tags.lineComment], color: 'var(--faint)', fontStyle: 'italic' },
      { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], color: 'var(--muted)' },
      { tag: tags.invalid, color: 'var(--bad)' },
    ]),
  ),
];
