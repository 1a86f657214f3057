import { MIB } from "../../src/units.ts";

export interface NarrowProxy {
  port: number;
  /** Requests that were too large. */
  readonly refused: number;
  stop(): Promise<void>;
}

/** A proxy that refuses large requests, as nginx does with the limit that it has when nobody has told it another. */
export function startNarrowProxy(origin: string): NarrowProxy {
  let refused = 0;
  let server = Bun.serve({
    port: 0,
    async fetch({ url, method, headers, body }) {
      if (Number(headers.get("Content-Length") ?? 0) > MIB) {
        refused++;
        return new Response("<h1>413 Request Entity Too Large</h1>", { status: 413 });
      }
      return fetch(origin + new URL(url).pathname, { method, headers, body, decompress: false });
    },
  });
  return {
    port: server.port!,
    get refused() {
      return refused;
    },
    stop: () => server.stop(true),
  };
}
