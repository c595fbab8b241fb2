import { useSyncExternalStore } from 'react';

/** Notices of the browser, for people who look elsewhere. They are off until a person turns them on. */
export type NotifyState = 'on' | 'off' | 'denied' | 'insecure';

const KEY = 'autotuner.notify';
const listeners = new Set<() => void>();

function wanted(): boolean {
  try {
    return localStorage.getItem(KEY) === 'on';
  } catch {
    return false;
  }
}

export function notifyState(): NotifyState {
  if (!globalThis.isSecureContext || !('Notification' in globalThis)) return 'insecure';
  if (Notification.permission === 'denied') return 'denied';
  return wanted() && Notification.permission === 'granted' ? 'on' : 'off';
}

export async function setNotify(on: boolean) {
  if (on && 'Notification' in globalThis) await Notification.requestPermission();
  try {
    localStorage.setItem(KEY, on ? 'on' : 'off');
  } catch {
    // Without storage it stays off.
  }
  for (const listener of listeners) listener();
}

export function useNotifyState(): NotifyState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notifyState(),
  );
}

/** Tells it if that is on and nobody looks at the page. `tag` replaces an earlier notice of the same thing. */
export function notify(title: string, { body, tag, path }: { body?: string; tag: string; path?: string }) {
  if (notifyState() !== 'on' || (document.visibilityState === 'visible' && document.hasFocus())) return;
  const shown = new Notification(title, { body, tag, icon: '/icon.svg' });
  shown.onclick = () => {
    window.focus();
    if (path) window.location.assign(path);
    shown.close();
  };
}
