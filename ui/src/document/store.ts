import { useSyncExternalStore } from 'react';
import { type Parsed, parse } from './read';

export interface DocumentState {
  text: string;
  parsed: Parsed;
  /** Who changed it last: the text editor need not be told what it did itself. */
  by: string;
  canUndo: boolean;
  canRedo: boolean;
}

/** Changes within this time by the same hand are undone as one, ms. */
const ONE_CHANGE_MS = 800;
const MOST = 500;

/** A document that a form and a text editor share. The text is the truth; undo is one for both. */
export class DocumentStore {
  #state: DocumentState;
  #past: string[] = [];
  #future: string[] = [];
  #last = { tag: '', at: 0 };
  readonly #listeners = new Set<() => void>();

  constructor(text: string) {
    this.#state = { text, parsed: parse(text), by: '', canUndo: false, canRedo: false };
  }

  get state(): DocumentState {
    return this.#state;
  }

  /** Changes the text. Changes with the same tag, soon after each other, are one to undo. */
  set(text: string, by = 'form', tag = '', now = Date.now()) {
    if (text === this.#state.text) return;
    const goesOn = tag !== '' && tag === this.#last.tag && now - this.#last.at < ONE_CHANGE_MS;
    if (!goesOn) this.#past = [...this.#past.slice(-MOST), this.#state.text];
    this.#last = { tag, at: now };
    this.#future = [];
    this.#show(text, by);
  }

  /** Another document: what was before cannot be come back to. */
  reset(text: string) {
    this.#past = [];
    this.#future = [];
    this.#last = { tag: '', at: 0 };
    this.#show(text, '');
  }

  undo() {
    const text = this.#past.pop();
    if (text === undefined) return;
    this.#future.push(this.#state.text);
    this.#last = { tag: '', at: 0 };
    this.#show(text, 'undo');
  }

  redo() {
    const text = this.#future.pop();
    if (text === undefined) return;
    this.#past.push(this.#state.text);
    this.#last = { tag: '', at: 0 };
    this.#show(text, 'undo');
  }

  #show(text: string, by: string) {
    const [canUndo, canRedo] = [this.#past.length > 0, this.#future.length > 0];
    this.#state = { text, parsed: parse(text), by, canUndo, canRedo };
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export function useDocumentState(store: DocumentStore): DocumentState {
  return useSyncExternalStore(store.subscribe, () => store.state);
}
