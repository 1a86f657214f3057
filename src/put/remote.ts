import { AppError } from "../errors.ts";
import { trimEndOf } from "../trim-end.ts";
import { MINUTE_MS, SECOND_MS } from "../units.ts";
import { refusalOf, RemoteError, unreachable } from "./remote-error.ts";
import { watchBody } from "./watch-body.ts";

/** A request that takes no byte for so long is given up; a bucket may take minutes to put a file together. */
const answerTimeoutMs = 10 * MINUTE_MS;
const shortTimeoutMs = 30 * SECOND_MS;
const tusVersion = "1.0.0";

/** What the server says of a file that it has. */
export interface Stored {
  file_id: number;
  url: string;
  duplicate_of?: number;
  file?: { filename: string; size_bytes: number; checksum_sha256: string };
}

export interface Body {
  content: ReadableStream<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>;
  bytes: number;
}

/** A server that takes files. Every call rejects with RemoteError, or with the signal's reason. */
export interface Remote {
  readonly baseUrl: string;
  /** Sends a file in one request. A repetition with the same key answers with the first result. */
  sendWhole(filename: string, idempotencyKey: string, body: Body, signal: AbortSignal): Promise<Stored>;
  /** Begins a resumable upload; `bytes` is null when the length will be told with the last append. */
  create(filename: string, bytes: number | null, signal: AbortSignal): Promise<string>;
  /** How much of it the server has, and what became of it if that is all; null when it knows it no more. */
  offset(uploadUrl: string, signal: AbortSignal): Promise<{ offset: number; stored: Stored | null } | null>;
  /** Whether a file that was stored is there still; true also for one who may not look. Rejects when nobody answers. */
  isThere(stored: Stored, signal: AbortSignal): Promise<boolean>;
  /** Takes an upload back that nobody will go on with, if that can be done. */
  terminate(uploadUrl: string): Promise<void>;
  /** Adds bytes at the offset; `length` tells the whole length where it was not known before. */
  append(
    uploadUrl: string,
    at: { offset: number; length: number | null },
    body: Body,
    signal: AbortSignal,
  ): Promise<{ offset: number; stored: Stored | null }>;
}

/** @param baseUrl address of the page, without a slash at its end */
export function createRemote(baseUrl: string, token: string | null): Remote {
  let authorization: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };

  async function call(url: string, init: BunFetchRequestInit, timeoutMs: number): Promise<Response> {
    let controller = new AbortController();
    let stop = () => controller.abort(init.signal?.reason);
    if (init.signal?.aborted) stop();
    init.signal?.addEventListener("abort", stop, { once: true });
    let timer = setTimeout(() => controller.abort(new Error("no answer in time")), timeoutMs);
    let watched = init.body instanceof ReadableStream ? watchBody(init.body, () => timer.refresh()) : null;
    try {
      let headers = {
        Accept: "application/json",
        ...authorization,
        ...(init.headers as Record<string, string>),
      };
      let body = watched?.body ?? init.body;
      let response = await fetch(url, {
        ...init,
        body,
        headers,
        redirect: "manual",
        signal: controller.signal,
      });
      if (response.ok) return response;
      throw await refusalOf(response);
    } catch (error) {
      if (error instanceof RemoteError) throw error;
      if (init.signal?.aborted) throw init.signal.reason;
      if (watched?.fault) throw watched.fault;
      throw unreachable(url, error);
    } finally {
      clearTimeout(timer);
      watched?.leave();
      init.signal?.removeEventListener("abort", stop);
    }
  }

  function tus(
    url: string,
    method: string,
    headers: Record<string, string>,
    signal: AbortSignal,
    body?: Body,
  ) {
    return call(
      url,
      {
        method,
        headers: { "Tus-Resumable": tusVersion, ...headers, ...lengthOf(body) },
        body: bodyOf(body),
        signal,
      },
      body ? answerTimeoutMs : shortTimeoutMs,
    );
  }

  /**
   * Of an address that was told only the path is believed: the token goes to no other server than the one that was named,
   * and a public address need not lead anywhere from here.
   */
  function here(told: string): string {
    let { pathname, search } = new URL(told);
    // Set, not resolved: a path may begin with two slashes.
    return Object.assign(new URL(baseUrl), { pathname, search }).href;
  }

  return {
    baseUrl,
    async sendWhole(filename, idempotencyKey, body, signal) {
      let response = await call(
        `${baseUrl}/upload/${encodeURIComponent(filename)}`,
        {
          method: "PUT",
          headers: { "Idempotency-Key": idempotencyKey, ...lengthOf(body) },
          body: bodyOf(body),
          signal,
        },
        answerTimeoutMs,
      );
      return absolute(await jsonOf(response), response.url);
    },

    async create(filename, bytes, signal) {
      let length = bytes === null ? { "Upload-Defer-Length": "1" } : { "Upload-Length": String(bytes) };
      let metadata = `filename ${Buffer.from(filename).toString("base64")}`;
      let response = await tus(`${baseUrl}/tus`, "POST", { ...length, "Upload-Metadata": metadata }, signal);
      let location = response.headers.get("Location");
      if (!location) throw new RemoteError("The server gave no address for the upload.", { status: 502 });
      return here(new URL(location, response.url).href);
    },

    async offset(uploadUrl, signal) {
      try {
        let response = await tus(uploadUrl, "HEAD", {}, signal);
        return { offset: offsetIn(response), stored: storedIn(response) };
      } catch (error) {
        if (error instanceof RemoteError && (error.status === 404 || error.status === 410)) return null;
        throw error;
      }
    },

    async isThere({ url }, signal) {
      try {
        await call(here(url), { method: "HEAD", signal }, shortTimeoutMs);
      } catch (error) {
        if (!(error instanceof RemoteError) || error.isPassing) throw error;
        return error.status !== 404 && error.status !== 410;
      }
      return true;
    },

    async terminate(uploadUrl) {
      await tus(uploadUrl, "DELETE", {}, AbortSignal.timeout(shortTimeoutMs)).catch(() => {});
    },

    async append(uploadUrl, { offset, length }, body, signal) {
      let headers: Record<string, string> = {
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": String(offset),
        ...(length === null ? {} : { "Upload-Length": String(length) }),
      };
      let response = await tus(uploadUrl, "PATCH", headers, signal, body);
      let told = response.status === 200 ? await jsonOf(response) : null;
      return { offset: offsetIn(response), stored: told ? absolute(told, response.url) : storedIn(response) };
    },
  };
}

function lengthOf(body: Body | undefined): Record<string, string> {
  return body ? { "Content-Length": String(body.bytes) } : {};
}

/** A stream without bytes would be sent without its length. */
function bodyOf(body: Body | undefined): Body["content"] | null {
  return body?.bytes === 0 ? new Uint8Array() : (body?.content ?? null);
}

function offsetIn(response: Response): number {
  let text = response.headers.get("Upload-Offset") ?? "";
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RemoteError("The server's answer tells no Upload-Offset: is it an s3-uploads server?", {
    status: 502,
  });
}

/** What a finished resumable upload says in its headers. */
function storedIn(response: Response): Stored | null {
  let id = response.headers.get("S3-Uploads-File-Id");
  let url = response.headers.get("S3-Uploads-File-Url");
  return id && url ? { file_id: Number(id), url: new URL(url, response.url).href } : null;
}

function absolute(stored: Stored, from: string): Stored {
  return { ...stored, url: new URL(stored.url, from).href };
}

async function jsonOf(response: Response): Promise<Stored> {
  let body = (await response.json().catch(() => null)) as Stored | null;
  if (body && typeof body.file_id === "number" && typeof body.url === "string") return body;
  throw new RemoteError("The answer is not that of an s3-uploads server: check --to.", { status: 501 });
}

/** The address that `--to` names: with a scheme, without a slash at its end. Throws `invalid_parameter`. */
export function parseServerUrl(given: string): string {
  let url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw new AppError(
      "invalid_parameter",
      "--to must be an http:// or https:// address of a server's page.",
    );
  }
  return trimEndOf(url.href, "/");
}
