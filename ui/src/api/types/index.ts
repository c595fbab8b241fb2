export type { components } from '../schema';
export * from './experiment';
export * from './machine';
export * from './measure';
export * from './report';
export * from './task';

import type { components } from '../schema';

/** Shapes of the OpenAPI document, by name. */
export type Schemas = components['schemas'];
