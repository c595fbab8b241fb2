import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { libraries } from '@/text/settings';
import { expiresAt, idOf, tokenState } from './tokenState';

const root = new URL('../../../', import.meta.url);
const json = (path: string) => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

describe('licences', () => {
  test('are those that the packages state, and no package is left out', () => {
    for (const [name, licence, packages] of libraries) {
      for (const one of packages)
        expect([name, json(`node_modules/${one}/package.json`).license]).toEqual([name, licence]);
    }
    const told = libraries.flatMap(([, , packages]) => packages);
    expect(Object.keys(json('package.json').dependencies).filter((one) => !told.includes(one))).toEqual([]);
  });
});

describe('tokens', () => {
  test('work, were revoked, or expired', () => {
    expect(tokenState({ works: true, revoked_at: null })).toBe('works');
    expect(tokenState({ works: false, revoked_at: '2026-11-28T00:00:00Z' })).toBe('revoked');
    expect(tokenState({ works: false, revoked_at: null })).toBe('expired');
  });

  test('have their id in their text', () => {
    expect(idOf('autotuner_b9e37b1a_93b42a')).toBe('b9e37b1a');
    expect(idOf(null)).toBeUndefined();
  });

  test('expire when they are asked to', () => {
    expect(expiresAt('never', 0)).toBeUndefined();
    expect(expiresAt('week', 0)).toBe('1970-01-08T00:00:00.000Z');
  });
});
