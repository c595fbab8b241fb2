export * from './flags';
export * from './interval';
export * from './number';
export * from './quantity';
export * from './time';
