/** A refusal of the server, or no answer at all. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  /** HTTP status, or null when no answer came. */
  readonly status: number | null;
  /** A code of the server's error table, or null. */
  readonly code: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(message: string, facts: { status?: number; code?: string; retryAfterSeconds?: number } = {}) {
    super(message);
    this.status = facts.status ?? null;
    this.code = facts.code ?? null;
    this.retryAfterSeconds = facts.retryAfterSeconds ?? null;
  }

  /** Whether the same request may work later. */
  get isPassing(): boolean {
    if (this.status === null) return true;
    return this.status >= 500
      ? ![501, 505, 507].includes(this.status)
      : [408, 423, 425, 429].includes(this.status);
  }
}

const reasons: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was closed",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's address could not be looked up",
};

/** No answer came. Bun's own words for it are for programmers. */
export function unreachable(url: string, thrown: unknown): RemoteError {
  let { code, message } = thrown as NodeJS.ErrnoException;
  return new RemoteError(`${new URL(url).origin} can't be reached: ${reasons[code ?? ""] ?? message}`);
}

/** What an answer says that is no success. */
export async function refusalOf(response: Response): Promise<RemoteError> {
  let { status } = response;
  let retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
  let retryAfterSeconds = Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {};
  let body = (await response.json().catch(() => null)) as {
    error?: { code?: string; message?: string };
  } | null;
  let { code, message } = body?.error ?? {};
  let facts = { status, ...(code && { code }), ...retryAfterSeconds };
  if (code && message && code !== "not_found") return new RemoteError(message, facts);
  let hint = status === 404 || (status >= 300 && status < 400) ? ": check --to" : "";
  return new RemoteError(`${response.url} answered ${status}${hint}.`, facts);
}
