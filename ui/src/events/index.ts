export * from './hub';
export { SseReader } from './sse';
export type { Connection } from './stream';
export * from './types';
