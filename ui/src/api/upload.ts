import { ApiError, errorOf, UNREACHABLE } from './error';
import { currentSession, refuse } from './session';
import type { Schemas } from './types';

export interface Sending {
  file: File;
  name: string;
  key: string;
  signal: AbortSignal;
  /** Bytes that left, of all. */
  onProgress: (sent: number, all: number) => void;
}

/** Sends a data set as a form. `fetch` does not tell how much has left, so this is the older way. */
export function uploadDataset({ file, name, key, signal, onProgress }: Sending): Promise<Schemas['KeptItem']> {
  const { token } = currentSession();
  const request = new XMLHttpRequest();
  request.open('POST', '/api/datasets');
  request.setRequestHeader('accept', 'application/json');
  request.setRequestHeader('idempotency-key', key);
  if (token) request.setRequestHeader('authorization', `Bearer ${token}`);
  const form = new FormData();
  form.set('name', name);
  form.set('file', file);
  return new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => onProgress(event.loaded, event.lengthComputable ? event.total : file.size);
    request.onerror = () => reject(new ApiError(0, UNREACHABLE, ''));
    request.onabort = () => reject(new DOMException('', 'AbortError'));
    request.onload = () => {
      if (request.status === 401) refuse(token);
      const body = read(request.responseText);
      if (request.status < 300) return resolve(body as Schemas['KeptItem']);
      const { status, statusText } = request;
      reject(errorOf(new Response(null, { status, statusText }), body));
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
