/** A record of a request log. `crates/tuner-bench` writes it; `routes/requests.rs` says what stands before it. */
export interface RequestRecord {
  attempt: number;
  level: number;
  repeat: number;
  label: string;
  index: number;
  warmup?: boolean;
  planned_s: number;
  sent_s?: number;
  first_event_s?: number;
  first_answer_s?: number;
  ended_s?: number;
  input_tokens?: number;
  output_tokens?: number;
  reads?: { at_s: number; events: number; tokens: number }[];
  fate: { kind: string; class?: string; [more: string]: unknown };
}

/** A request as the table shows it; times in ms. */
export interface RequestRow {
  key: number;
  index: number;
  label: string;
  isWarmUp: boolean;
  plannedS: number;
  lateMs: number | undefined;
  ttftMs: number | undefined;
  totalMs: number | undefined;
  tpotMs: number | undefined;
  input: number | undefined;
  output: number | undefined;
  fate: string;
}

const ms = (from: number | undefined, to: number | undefined) =>
  from === undefined || to === undefined ? undefined : (to - from) * 1000;

/** First and last moment at which a token came. */
function tokens(record: RequestRecord): { first: number | undefined; last: number | undefined } {
  const bearing = record.reads?.filter((read) => read.tokens > 0) ?? [];
  return { first: bearing[0]?.at_s ?? record.first_answer_s, last: bearing.at(-1)?.at_s ?? record.ended_s };
}

export function requestRow(record: RequestRecord, key: number): RequestRow {
  const { first, last } = tokens(record);
  const { output_tokens: output, fate } = record;
  const after = ms(first, last);
  return {
    key,
    index: record.index,
    label: record.repeat ? `${record.label} · ${record.repeat + 1}` : record.label,
    isWarmUp: record.warmup ?? false,
    plannedS: record.planned_s,
    lateMs: ms(record.planned_s, record.sent_s),
    ttftMs: ms(record.sent_s, first),
    totalMs: ms(record.sent_s, last),
    tpotMs: after !== undefined && output !== undefined && output > 1 && after > 0 ? after / (output - 1) : undefined,
    input: record.input_tokens,
    output,
    fate: fate.class ? `${fate.kind}: ${fate.class}` : fate.kind,
  };
}

/** Reads the first lines of a stream of JSON lines, and no more of it than they take. */
export async function firstRecords(
  body: ReadableStream<Uint8Array>,
  most: number,
): Promise<{ rows: RequestRow[]; more: boolean }> {
  const chunks = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  const rows: RequestRow[] = [];
  let rest = '';
  const take = (line: string) => {
    if (line.trim()) rows.push(requestRow(JSON.parse(line) as RequestRecord, rows.length));
  };
  for (;;) {
    const { done, value } = await chunks.read();
    if (done) {
      take(rest);
      return { rows, more: false };
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (rows.length === most) {
        await chunks.cancel();
        return { rows, more: true };
      }
      take(line);
    }
  }
}
