import type { Block } from "./block-pool.ts";
import type { PartBytes } from "./part-buffer.ts";

/** What the SDK hands over; the parts of @smithy/types' HttpRequest that are used. */
interface SdkRequest {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

export interface SdkResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: ReadableStream<Uint8Array> | Uint8Array;
}

/**
 * The SDK's HTTP layer on Bun's fetch: the SDK signs and parses, fetch moves the bytes. Against the SDK's own node:http
 * handler this takes a third of the CPU for an UploadPart (docs/decisions/003-s3-data-path.md).
 */
export const fetchTransport = {
  metadata: { handlerProtocol: "http/1.1" },

  async handle(
    request: SdkRequest,
    options: { abortSignal?: AbortSignal } = {},
  ): Promise<{ response: SdkResponse }> {
    let { host: _host, ...headers } = request.headers;
    let response = await fetch(urlOf(request), {
      method: request.method,
      headers,
      body: bodyOf(request.body),
      redirect: "manual",
      // Objects are passed on byte for byte, also those that carry a Content-Encoding.
      decompress: false,
      signal: options.abortSignal ?? null,
    });
    return {
      response: {
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
        body: response.body ?? new Uint8Array(),
      },
    };
  },

  updateHttpClientConfig(): void {},
  httpHandlerConfigs(): object {
    return {};
  },
};

/** Of a Uint8Array fetch copies the whole; of a stream with a Content-Length it copies a block at a time. */
function bodyOf(body: unknown): ReadableStream<Block> | Block | string | null {
  if (!isPart(body)) return (body as Block | string | undefined) ?? null;
  let { blocks } = body;
  if (blocks.length <= 1) return blocks[0] ?? new Uint8Array();
  let next = 0;
  return new ReadableStream(
    {
      pull(controller) {
        controller.enqueue(blocks[next++]!);
        if (next >= blocks.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

function isPart(body: unknown): body is PartBytes {
  return typeof body === "object" && body !== null && "blocks" in body;
}

function urlOf(request: SdkRequest): string {
  let pairs: string[] = [];
  for (let [name, value] of Object.entries(request.query ?? {})) {
    for (let one of Array.isArray(value) ? value : [value]) {
      pairs.push(`${escape(name)}=${escape(one ?? "")}`);
    }
  }
  let port = request.port ? `:${request.port}` : "";
  let query = pairs.length > 0 ? `?${pairs.join("&")}` : "";
  return `${request.protocol}//${request.hostname}${port}${request.path}${query}`;
}

/** RFC 3986, as the signature's canonical query is written. */
export function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
