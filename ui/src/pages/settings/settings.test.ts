import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AgentSettings } from '@/api/types/agent';
import { libraries } from '@/text/settings';
import { changesOf, fixedBy, forgetsKey, isChange, missingOf, shown, UNTOUCHED } from './modelDraft';
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

describe('the model of the agent', () => {
  const none: AgentSettings = {
    provider: { value: 'local', from: 'default', variable: 'AGENT_PROVIDER' },
    model: { value: null, from: 'default', variable: 'AGENT_MODEL' },
    base_url: { value: null, from: 'default', variable: 'AGENT_BASE_URL' },
    api_key: { is_set: false, from: 'default', variable: 'AGENT_API_KEY' },
  };
  const filed: AgentSettings = {
    provider: { ...none.provider, value: 'openai', from: 'file' },
    model: { ...none.model, value: 'gpt', from: 'file' },
    base_url: { ...none.base_url, value: 'https://proxy/v1', from: 'file' },
    api_key: { ...none.api_key, is_set: true, from: 'file' },
  };

  test('an untouched form sends nothing, nor does one that says what is so', () => {
    for (const settings of [none, filed]) expect(isChange(changesOf(settings, UNTOUCHED))).toBe(false);
    const same = { provider: 'openai', model: ' gpt ', base_url: 'https://proxy/v1', api_key: '  ' } as const;
    expect(changesOf(filed, same)).toEqual({});
  });

  test('only what changed is sent, and what was emptied as null', () => {
    expect(changesOf(none, { model: ' qwen ', base_url: '', api_key: '' })).toEqual({ model: 'qwen' });
    expect(changesOf(filed, { provider: 'anthropic', base_url: ' ', api_key: ' k ' })).toEqual({
      provider: 'anthropic',
      base_url: null,
      api_key: 'k',
    });
  });

  test('what a variable sets is neither changed nor sent', () => {
    const fixed: AgentSettings = {
      provider: { ...filed.provider, from: 'variable' },
      model: { ...filed.model, from: 'variable' },
      base_url: { ...filed.base_url, from: 'variable' },
      api_key: { ...filed.api_key, from: 'variable' },
    };
    const draft = { provider: 'local', model: 'x', base_url: 'http://x', api_key: 'k' } as const;
    expect(changesOf(fixed, draft)).toEqual({});
    expect(shown(fixed, draft)).toEqual(shown(fixed, UNTOUCHED));
  });

  test('a default of the server is no text of the form', () => {
    const own: AgentSettings = { ...filed, base_url: { ...none.base_url, value: 'https://api.openai.com/v1' } };
    expect(shown(own, UNTOUCHED).base_url).toBe('');
    expect(changesOf(own, { provider: 'anthropic', api_key: '' })).toEqual({ provider: 'anthropic' });
  });

  test('local needs an address, the others a key, all a model', () => {
    expect(missingOf(none, UNTOUCHED)).toEqual(['model', 'base_url']);
    expect(missingOf(none, { provider: 'openai', model: 'gpt', api_key: '' })).toEqual(['api_key']);
    expect(missingOf(none, { provider: 'anthropic', model: 'c', api_key: 'k' })).toEqual([]);
    expect(missingOf(none, { model: 'qwen', base_url: 'http://x', api_key: '' })).toEqual([]);
    expect(missingOf(filed, UNTOUCHED)).toEqual([]);
    expect(missingOf(filed, { model: '', api_key: '' })).toEqual(['model']);
  });

  test('the key of the file is forgotten with another provider or address, unless one is given', () => {
    expect(forgetsKey(filed, { model: 'x' })).toBe(false);
    expect(forgetsKey(filed, { base_url: null })).toBe(true);
    expect(forgetsKey(filed, { provider: 'anthropic' })).toBe(true);
    expect(forgetsKey(filed, { provider: 'anthropic', api_key: 'k' })).toBe(false);
    expect(forgetsKey(none, { provider: 'anthropic' })).toBe(false);
    expect(missingOf(filed, { provider: 'anthropic', api_key: '' })).toEqual(['api_key']);
    expect(missingOf(filed, { provider: 'anthropic', api_key: 'k' })).toEqual([]);
  });

  test('a key of a variable keeps the address as it is, and leaves provider and model free', () => {
    const keyed: AgentSettings = { ...filed, api_key: { ...filed.api_key, from: 'variable' } };
    const fields = ['provider', 'model', 'base_url', 'api_key'] as const;
    expect(fields.map((name) => fixedBy(keyed, name))).toEqual([null, null, 'AGENT_API_KEY', 'AGENT_API_KEY']);
    expect(fields.map((name) => fixedBy(filed, name))).toEqual([null, null, null, null]);
    const draft = { provider: 'local', model: 'x', base_url: 'http://x', api_key: 'k' } as const;
    expect(changesOf(keyed, draft)).toEqual({ provider: 'local', model: 'x' });
    expect(missingOf(keyed, draft)).toEqual([]);
  });
});
