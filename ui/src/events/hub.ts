import type { QueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { currentSession, onSession, refuse } from '@/api/session';
import { Effects } from './effects';
import { type Connection, EventStream } from './stream';
import type { ServerEvent } from './types';

type Listener = (event: ServerEvent) => void;

/** A page that nobody sees gives its connection back after this time; browsers allow few to one server. */
const HIDDEN_MS = 60_000;

let stream: EventStream | null = null;
let connection: Connection = 'connecting';
let lost = Date.now();
/** Somebody wants to hear of events although the page is hidden. */
let staysHidden = () => false;
const listeners = new Set<Listener>();
const watchers = new Set<() => void>();

function open(after: number | null, signal: AbortSignal): Promise<Response> {
  const headers = new Headers({ accept: 'text/event-stream' });
  if (after !== null) headers.set('last-event-id', String(after));
  const { token } = currentSession();
  if (token) headers.set('authorization', `Bearer ${token}`);
  return fetch('/api/events', { headers, signal, cache: 'no-store' }).then((response) => {
    if (response.status === 401) refuse(token);
    return response;
  });
}

export interface Following {
  /** The server tells us of events from now on, or said that it will not. What is asked after this misses none. */
  heard: Promise<void>;
  stop: () => void;
}

/** Begins to follow. Call it once, before the page is drawn. */
export function followEvents(client: QueryClient, whileHidden: () => boolean): Following {
  let hear = () => {};
  const heard = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const effects = new Effects(client);
  staysHidden = whileHidden;
  const running = new EventStream({
    open,
    onEvent: (event) => {
      effects.apply(event);
      for (const listener of listeners) listener(event);
    },
    onGap: () => effects.gap(),
    onPulse: () => effects.pulse(),
    onConnection: (state) => {
      if (connection === 'online') lost = Date.now();
      connection = state;
      hear();
      for (const watcher of watchers) watcher();
    },
  });
  stream = running;
  running.start();

  let token = currentSession().token;
  const endSession = onSession(() => {
    if (currentSession().token === token) return;
    token = currentSession().token;
    running.stop();
    running.start();
  });
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const onVisible = () => {
    clearTimeout(hiding);
    if (document.visibilityState === 'hidden') {
      hiding = setTimeout(() => staysHidden() || running.stop(), HIDDEN_MS);
      return;
    }
    running.start();
    running.hurry();
  };
  const hurry = () => running.hurry();
  document.addEventListener('visibilitychange', onVisible);
  window.addEventListener('online', hurry);
  const stop = () => {
    endSession();
    clearTimeout(hiding);
    document.removeEventListener('visibilitychange', onVisible);
    window.removeEventListener('online', hurry);
    running.stop();
    effects.stop();
    stream = null;
  };
  return { heard, stop };
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** How the connection to the server is. */
export function useConnection(): Connection {
  return useSyncExternalStore(watch, () => connection);
}

/** When the server was last heard of before the connection broke, ms since 1970. */
export function connectionLostAt(): number {
  return lost;
}

/** Tries to reach the server now. */
export function reconnectNow() {
  stream?.hurry();
}

/** Hears every event; returns what ends it. */
export function onServerEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hears every event while the component is there. The listener may change from render to render. */
export function useServerEvents(listener: Listener) {
  const current = useRef(listener);
  useEffect(() => {
    current.current = listener;
  });
  useEffect(() => onServerEvent((event) => current.current(event)), []);
}

/** Hears the events of a task; `task` is its id. */
export function useTaskEvents(task: string | undefined, listener: Listener) {
  useServerEvents((event) => {
    if (task !== undefined && event.task === task) listener(event);
  });
}
