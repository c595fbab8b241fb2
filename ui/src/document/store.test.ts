import { expect, test } from 'vitest';
import { DocumentStore } from './store';

test('one undo for form and text, and quick typing is one change', () => {
  const store = new DocumentStore('a: 1\n');
  store.set('a: 2\n', 'text', 'typing', 1000);
  store.set('a: 23\n', 'text', 'typing', 1200);
  store.set('a: 23\nb: 1\n', 'form', '', 1300);
  store.set('a: 23\nb: 2\n', 'form', '', 1400);
  store.undo();
  expect(store.state.text).toBe('a: 23\nb: 1\n');
  store.undo();
  store.undo();
  expect(store.state).toMatchObject({ text: 'a: 1\n', canUndo: false, canRedo: true, by: 'undo' });
  store.redo();
  expect(store.state.text).toBe('a: 23\n');
  store.set('a: 9\n');
  expect(store.state.canRedo).toBe(false);
});
