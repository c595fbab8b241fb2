/** A finding about a document that was sent. `crates/tuner-core/src/task/diagnostic.rs` */
export interface Finding {
  severity: 'error' | 'note';
  line: number;
  column: number;
  length: number;
  field: string;
  message: string;
  allowed?: string;
  suggestion?: string;
  help?: string;
}

interface Told {
  code?: string;
  message?: string;
  hint?: string | null;
  request_id?: string;
  findings?: Finding[];
}

/** Code of a failure that happened before the server could answer. */
export const UNREACHABLE = 'unreachable';

/** Why a request was refused or failed, in one shape wherever it failed. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    /** Status of the answer; 0 where there was none. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
    readonly requestId?: string,
    readonly findings?: Finding[],
  ) {
    super(message);
  }

  /** Whether the server may not have heard of it, or could do nothing at the moment: worth another try. */
  get mayPass(): boolean {
    return (
      this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504
    );
  }

  /** Whether whoever asked may not do this. */
  get isPermission(): boolean {
    return this.status === 403;
  }
}

/** An error of an answer: what the server said, or what can be said when it said nothing. */
export function errorOf(response: Response, body: unknown): ApiError {
  const told: Told = body !== null && typeof body === 'object' ? body : {};
  const id = told.request_id ?? response.headers.get('x-request-id') ?? undefined;
  const message = told.message ?? (typeof body === 'string' && body.length < 300 && body) ?? '';
  return new ApiError(
    response.status,
    told.code ?? 'failed',
    message || `${response.status} ${response.statusText}`.trim(),
    told.hint ?? undefined,
    id,
    told.findings,
  );
}

/** Any thrown thing as an `ApiError`; aborts stay what they are. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError(0, UNREACHABLE, message);
}

/** Whether a request ended because nobody wants its answer any more. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError';
}
