import type { Locator, Page } from 'playwright-core';
import type { ChatEvent, MessageList } from '@/api/types/chat';
import { SseReader } from '@/events/sse';
import type { Service } from './service';

/** Says something in the conversation that is open, or in a new one. */
export async function say(page: Page, text: string) {
  const box = page.getByRole('textbox', { name: 'Message to the agent' });
  await box.fill(text);
  await box.press('Enter');
}

/** Begins a conversation with a message; gives its id. */
export async function begin(page: Page, text: string): Promise<string> {
  await page.getByRole('heading', { name: 'New conversation' }).waitFor();
  await say(page, text);
  await page.waitForURL(/\/chat\/[0-9a-f-]{36}/);
  return sessionOf(page);
}

export function sessionOf(page: Page): string {
  return new URL(page.url()).pathname.split('/')[2] ?? '';
}

export function card(page: Page, tool: string): Locator {
  return page.getByRole('region', { name: `Call of ${tool}` });
}

/** A card in a state. */
export function cardIn(page: Page, tool: string, state: string): Locator {
  return page.locator(`[aria-label="Call of ${tool}"][data-state="${state}"]`);
}

/** Ids of the calls that have a card, in order. */
export function cardIds(page: Page): Promise<string[]> {
  return page.locator('[data-call]').evaluateAll((all) => all.map((one) => one.getAttribute('data-call') ?? ''));
}

/** Ids of the messages that are shown, in order. */
export function messageIds(page: Page): Promise<string[]> {
  return page.locator('[data-message]').evaluateAll((all) => all.map((one) => one.getAttribute('data-message') ?? ''));
}

/** What the server keeps. */
export function kept(service: Service, session: string): Promise<MessageList> {
  return service.request('GET', `/api/agent/sessions/${session}/messages?limit=500`);
}

export interface WorkerItem {
  id: string;
  alive: boolean;
  pid: number;
}

/** Process ids of the workers that live. */
export async function workerPids(service: Service): Promise<number[]> {
  const { items } = await service.request<{ items: WorkerItem[] }>('GET', '/api/workers');
  return items.filter((worker) => worker.alive).map((worker) => worker.pid);
}

/** All that was kept of a conversation until now, in order. */
export async function chatEvents(service: Service, session: string): Promise<ChatEvent[]> {
  const ends = new AbortController();
  const found: ChatEvent[] = [];
  // The events that there are come at once.
  setTimeout(() => ends.abort(), 1000);
  const reader = new SseReader((sent) => {
    if (sent.id !== undefined) found.push(JSON.parse(sent.data) as ChatEvent);
  });
  try {
    const response = await fetch(`${service.url}/api/agent/sessions/${session}/events?after=0`, {
      signal: ends.signal,
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      reader.push(decoder.decode(chunk, { stream: true }));
    }
  } catch (error) {
    if (!ends.signal.aborted) throw error;
  }
  return found;
}

/** How often each call was started, by its tool. */
export async function starts(service: Service, session: string): Promise<string[]> {
  const events = await chatEvents(service, session);
  return events.flatMap((event) => (event.change === 'call' && event.row.state === 'running' ? [event.row.tool] : []));
}

/** A conversation made without the page. */
export async function newSession(service: Service): Promise<string> {
  return (await service.request<{ id: string }>('POST', '/api/agent/sessions', {})).id;
}

export function log(page: Page): Locator {
  return page.getByRole('log', { name: 'Messages' });
}
