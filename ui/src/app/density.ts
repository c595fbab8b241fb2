import { useSyncExternalStore } from 'react';

/** How large everything is: browsers scale all of the page with the root's font size. */
export type Density = 'compact' | 'roomy';

const KEY = 'autotuner.density';
const listeners = new Set<() => void>();

function chosen(): Density {
  return document.documentElement.dataset.density === 'roomy' ? 'roomy' : 'compact';
}

/** Chooses a density; `public/theme.js` puts it back before the next first paint. */
export function setDensity(density: Density) {
  if (density === 'compact') delete document.documentElement.dataset.density;
  else document.documentElement.dataset.density = density;
  try {
    if (density === 'compact') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, density);
  } catch {
    // Without storage it holds until the page is loaded again.
  }
  for (const listener of listeners) listener();
}

export function useDensity(): Density {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, chosen);
}
