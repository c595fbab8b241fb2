/** One server-sent event. */
export interface Sent {
  /** Absent for pieces that are not kept. */
  id: string | undefined;
  event: string;
  data: string;
}

/**
 * Reads server-sent events out of pieces of text that are cut anywhere. `onComment` hears the heartbeats. Ids hold for the
 * event they stand in only; our server gives one to each that counts.
 */
export class SseReader {
  #rest = '';
  #id: string | undefined;
  #event = '';
  #data: string[] = [];
  #afterCr = false;

  constructor(
    private readonly onEvent: (sent: Sent) => void,
    private readonly onComment: () => void = () => {},
  ) {}

  push(text: string) {
    let piece = text;
    // A line that ends in CR LF may be cut between the two.
    if (this.#afterCr && piece.startsWith('\n')) piece = piece.slice(1);
    this.#afterCr = piece.endsWith('\r');
    const lines = (this.#rest + piece).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  #line(line: string) {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return this.onComment();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
    else if (field === 'event') this.#event = value;
  }

  #dispatch() {
    const sent: Sent = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
    const hasData = this.#data.length > 0;
    this.#id = undefined;
    this.#event = '';
    this.#data = [];
    if (hasData) this.onEvent(sent);
  }
}
