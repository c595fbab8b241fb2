import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'autotuner.theme';
const listeners = new Set<() => void>();
const prefersDark = globalThis.matchMedia?.('(prefers-color-scheme: dark)');
prefersDark?.addEventListener('change', tell);

function tell() {
  for (const listener of listeners) listener();
}

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function chosen(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** Chooses a theme; `public/theme.js` puts it back before the next first paint. */
export function setTheme(theme: Theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Without storage it holds until the page is loaded again.
  }
  tell();
}

/** What was chosen. */
export function useTheme(): Theme {
  return useSyncExternalStore(watch, chosen);
}

/** What is shown. */
export function useShownTheme(): 'light' | 'dark' {
  return useSyncExternalStore(watch, () => {
    const theme = chosen();
    if (theme !== 'system') return theme;
    return prefersDark?.matches ? 'dark' : 'light';
  });
}
