/**
 * A random word for `Idempotency-Key`. `crypto.randomUUID` exists on secure pages only, and the service is often reached
 * over plain http on an inner network.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The key of a user's action. As long as it is not known what came of it (no answer, or one that says "not now"), asking for
 * the same thing again is the same action and keeps its key, so that it is done once.
 */
export class ActionKey {
  #open: { of: string; key: string } | null = null;

  take(wanted: unknown): string {
    const of = wanted instanceof Blob ? `${wanted.size}` : (JSON.stringify(wanted) ?? '');
    if (this.#open?.of !== of) this.#open = { of, key: newKey() };
    return this.#open.key;
  }

  /** What came of it is known. */
  settle() {
    this.#open = null;
  }
}
