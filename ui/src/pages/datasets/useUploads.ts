import { useEffect, useRef, useState } from 'react';
import { type ApiError, asApiError, isAbort } from '@/api/error';
import { newKey } from '@/api/key';
import { uploadDataset } from '@/api/upload';
import { nameOf } from './names';

/** The most that any service takes. */
export const LARGEST = 2048 * 1024 * 1024;

export interface Upload {
  id: number;
  file: File;
  name: string;
  sent: number;
  state: 'sending' | 'kept' | 'failed' | 'too_large';
  rows?: number;
  error?: ApiError;
  stop: () => void;
}

/** Files that are sent from this page, one after another seen until they are dismissed. */
export function useUploads() {
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const last = useRef(0);
  const running = useRef(new Set<AbortController>());
  useEffect(() => {
    const all = running.current;
    return () => {
      for (const one of all) one.abort();
    };
  }, []);

  const change = (id: number, part: Partial<Upload>) =>
    setUploads((now) => now.map((one) => (one.id === id ? { ...one, ...part } : one)));
  const dismiss = (id: number) => setUploads((now) => now.filter((one) => one.id !== id));

  const send = async (file: File, name = nameOf(file.name)) => {
    last.current += 1;
    const id = last.current;
    const control = new AbortController();
    const stop = () => control.abort();
    const state = file.size > LARGEST ? 'too_large' : 'sending';
    setUploads((now) => [...now, { id, file, name, sent: 0, state, stop }]);
    if (state === 'too_large') return;
    running.current.add(control);
    try {
      const onProgress = (sent: number, all: number) => change(id, { sent: all ? sent / all : 0 });
      const kept = await uploadDataset({ file, name, key: newKey(), signal: control.signal, onProgress });
      change(id, { state: 'kept', name: kept.name, rows: kept.rows });
    } catch (thrown) {
      if (isAbort(thrown)) dismiss(id);
      else change(id, { state: 'failed', error: asApiError(thrown) });
    } finally {
      running.current.delete(control);
    }
  };
  const again = (upload: Upload, name: string) => {
    dismiss(upload.id);
    void send(upload.file, name);
  };
  return { uploads, send, again, dismiss };
}
