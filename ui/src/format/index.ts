export * from './flags';
export * from './interval';
export * from './level';
export * from './number';
export * from './objective';
export * from './quantity';
export * from './time';
