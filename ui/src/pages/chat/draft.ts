/** What somebody has typed and not sent, for each conversation; it outlives a reload of this tab. */
const key = (session: string) => `autotuner.draft.${session}`;

export function readDraft(session: string): string {
  try {
    return sessionStorage.getItem(key(session)) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(session: string, text: string) {
  try {
    if (text === '') sessionStorage.removeItem(key(session));
    else sessionStorage.setItem(key(session), text);
  } catch {
    // Without storage it lives as long as the page.
  }
}
