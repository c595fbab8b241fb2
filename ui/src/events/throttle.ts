/**
 * Does a thing per name soon after it is asked for, at most once in its interval, and once more after the last asking: many
 * events lead to few requests, and the last of them is never lost.
 */
export class Throttle {
  readonly #due = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #done = new Map<string, number>();

  constructor(
    private readonly soonMs = 50,
    private readonly now: () => number = () => Date.now(),
  ) {}

  ask(name: string, intervalMs: number, act: () => void) {
    if (this.#due.has(name)) return;
    const since = this.now() - (this.#done.get(name) ?? Number.NEGATIVE_INFINITY);
    const wait = Math.max(this.soonMs, intervalMs - since);
    const timer = setTimeout(() => {
      this.#due.delete(name);
      this.#done.set(name, this.now());
      act();
    }, wait);
    this.#due.set(name, timer);
  }

  clear() {
    for (const timer of this.#due.values()) clearTimeout(timer);
    this.#due.clear();
  }
}
